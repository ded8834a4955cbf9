import { parseAnswer } from './parse-answer.ts';

describe('parseAnswer', () => {
  test.each([
    { kind: 'accept', delayMs: 5, times: 'always', streamLimit: 1 },
    { kind: 'silence', times: 2 },
    { kind: 'fin' },
    { kind: 'tcp-reset' },
    { kind: 'reset-unread' },
    { kind: 'redirect', location: 'https://example.com/', status: 301 },
    { kind: 'endless', everyMs: 10 },
    { kind: 'rst-stream', code: 'REFUSED_STREAM' },
    { kind: 'goaway', streams: 'refuse', reason: 'Shutdown' },
    { kind: 'raw', status: 502, body: 'x', contentType: 'text/plain', retryAfterSeconds: 1 },
    { kind: 'refuse', reason: 'Unregistered', status: 410, timestampAgeMs: null },
    { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 1, retryAfterAsDate: true },
  ])('takes %o as it is', (answer) => {
    expect(parseAnswer(answer)).toEqual(answer);
  });

  test.each([
    [undefined, 'must be an object'],
    [{ kind: 'explode' }, 'Unknown kind'],
    [{ kind: 'refuse' }, '`reason`'],
    [{ kind: 'raw' }, '`status`'],
    [{ kind: 'accept', delayMs: '5' }, '`delayMs`'],
    [{ kind: 'goaway', streams: 'some' }, '`streams`'],
    [{ kind: 'redirect', location: 1 }, '`location`'],
    [{ kind: 'endless', everyMs: true }, '`everyMs`'],
    [{ kind: 'rst-stream', code: 'toString' }, '`code`'],
    [{ kind: 'raw', status: 502, body: 1 }, '`body`'],
  ])('refuses %o and says why', (answer, message) => {
    expect(() => parseAnswer(answer)).toThrow(message);
  });
});
