import { STATUS_CODES } from 'node:http';
import type { Answer } from '../answers/answer.ts';
import type { NamedFault, TokenFault } from '../answers/token-faults.ts';

const MARKER = /^fault-(?<once>once-)?(?<code>[A-Z0-9_]+)/;

const REFUSALS = [
  400, 401, 403, 404, 405, 407, 408, 409, 410, 413, 415, 422, 425, 429, 500, 501, 502, 503, 504,
];

/** A token `fault-<code>-…` always meets the fault, `fault-once-<code>-…` at its first push only. */
export const PROXY_TOKEN_FAULTS: readonly TokenFault[] = [
  ...REFUSALS.map((status) =>
    fault(
      String(status),
      { kind: 'refuse', reason: String(status) },
      `${status} ${STATUS_CODES[status]}`,
    ),
  ),
  fault('202', { kind: 'raw', status: 202, body: '{}', contentType: 'application/json' }, '202'),
  fault('204', { kind: 'raw', status: 204, body: '' }, '204'),
  fault(
    '429_WAIT',
    { kind: 'refuse', reason: '429', retryAfterSeconds: 2 },
    '429, Retry-After in seconds',
  ),
  fault(
    '429_WAIT_DATE',
    { kind: 'refuse', reason: '429', retryAfterSeconds: 2, retryAfterAsDate: true },
    '429, Retry-After as an HTTP date',
  ),
  fault(
    '503_WAIT',
    { kind: 'refuse', reason: '503', retryAfterSeconds: 2 },
    '503, Retry-After in seconds',
  ),
  fault('HTML_400', { kind: 'raw', status: 400 }, '400 with an HTML page'),
  fault('HTML_502', { kind: 'raw', status: 502 }, '502 with an HTML page'),
  fault('REDIRECT', { kind: 'redirect' }, '307 to the same path'),
  fault('ENDLESS', { kind: 'endless' }, '200 with a body that never ends'),
  fault('DRIP', { kind: 'endless', everyMs: 100 }, '200 with a body of a byte every 100 ms'),
  fault('SILENCE', { kind: 'silence' }, 'no answer, ever'),
  fault('SLOW', { kind: 'accept', delayMs: 2_000 }, '200 after 2 s'),
  fault('LATE', { kind: 'accept', delayMs: 15_000 }, '200 after 15 s, past usual deadlines'),
  fault('FIN', { kind: 'fin' }, 'the connection closes without an answer (FIN)'),
  fault('TCP_RESET', { kind: 'tcp-reset' }, 'TCP reset, once the body was read'),
];

const BY_CODE = new Map(PROXY_TOKEN_FAULTS.map(({ code, answer }) => [code, answer]));

export function findProxyTokenFault(token: string): NamedFault | undefined {
  if (!token.startsWith('fault-')) return undefined;
  const { once, code } = MARKER.exec(token)?.groups ?? {};
  const answer = BY_CODE.get(code ?? '');
  return answer && { answer, once: once !== undefined };
}

function fault(code: string, answer: Answer, meaning: string): TokenFault {
  return { code, answer, meaning };
}
