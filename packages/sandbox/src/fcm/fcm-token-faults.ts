import type { Answer } from '../answers/answer.ts';
import type { NamedFault, TokenFault } from '../answers/token-faults.ts';
import { FCM_REFUSALS } from './fcm-refusals.ts';

const MARKER = /^fault-(?<once>once-)?(?<code>[A-Z0-9_]+)/;

/** A token `fault-<code>-…` always meets the fault, `fault-once-<code>-…` at its first push only. */
export const FCM_TOKEN_FAULTS: readonly TokenFault[] = [
  ...Array.from(FCM_REFUSALS, ([name, { code, status }]) =>
    fault(name, { kind: 'refuse', reason: name }, `${code} ${status}`),
  ),
  fault(
    'SOMETHING_NEW',
    { kind: 'refuse', reason: 'SOMETHING_NEW', status: 418 },
    '418 with an errorCode nobody knows',
  ),
  fault(
    'QUOTA_EXCEEDED_WAIT',
    { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 2 },
    '429, Retry-After in seconds',
  ),
  fault(
    'QUOTA_EXCEEDED_WAIT_DATE',
    { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 2, retryAfterAsDate: true },
    '429, Retry-After as an HTTP date',
  ),
  fault(
    'UNAVAILABLE_WAIT',
    { kind: 'refuse', reason: 'UNAVAILABLE', retryAfterSeconds: 2 },
    '503, Retry-After in seconds',
  ),
  fault('HTML_502', { kind: 'raw', status: 502 }, '502 with an HTML page'),
  fault('HTML_504', { kind: 'raw', status: 504 }, '504 with an HTML page'),
  fault('SILENCE', { kind: 'silence' }, 'no answer, ever'),
  fault('SLOW', { kind: 'accept', delayMs: 2_000 }, '200 after 2 s'),
  fault('LATE', { kind: 'accept', delayMs: 20_000 }, '200 after 20 s, past usual deadlines'),
  fault('GOAWAY', { kind: 'goaway', streams: 'answer' }, '200, and GOAWAY that refuses nothing'),
  fault(
    'GOAWAY_REFUSED',
    { kind: 'goaway', streams: 'refuse' },
    'GOAWAY; this push and later ones on the connection are refused',
  ),
  fault('FIN', { kind: 'fin' }, 'the connection closes without an answer (FIN)'),
  fault('TCP_RESET', { kind: 'tcp-reset' }, 'TCP reset'),
  fault(
    'RST_STREAM',
    { kind: 'rst-stream', code: 'INTERNAL_ERROR' },
    'RST_STREAM INTERNAL_ERROR (HTTP/1.1: TCP reset)',
  ),
  fault(
    'REFUSED_STREAM',
    { kind: 'rst-stream', code: 'REFUSED_STREAM' },
    'RST_STREAM REFUSED_STREAM (HTTP/1.1: TCP reset)',
  ),
];

const BY_CODE = new Map(FCM_TOKEN_FAULTS.map(({ code, answer }) => [code, answer]));

export function findFcmTokenFault(token: string): NamedFault | undefined {
  if (!token.startsWith('fault-')) return undefined;
  const { once, code } = MARKER.exec(token)?.groups ?? {};
  const answer = BY_CODE.get(code ?? '');
  return answer && { answer, once: once !== undefined };
}

function fault(code: string, answer: Answer, meaning: string): TokenFault {
  return { code, answer, meaning };
}
