import { createFaultFinder, toFault, type TokenFault } from '../answers/token-faults.ts';
import { FCM_REFUSALS } from './fcm-refusals.ts';

export const FCM_TOKEN_FAULTS: readonly TokenFault[] = [
  ...Array.from(FCM_REFUSALS, ([name, { code, status }]) =>
    toFault(name, { kind: 'refuse', reason: name }, `${code} ${status}`),
  ),
  toFault(
    'SOMETHING_NEW',
    { kind: 'refuse', reason: 'SOMETHING_NEW', status: 418 },
    '418 with an errorCode nobody knows',
  ),
  toFault(
    'QUOTA_EXCEEDED_WAIT',
    { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 2 },
    '429, Retry-After in seconds',
  ),
  toFault(
    'QUOTA_EXCEEDED_WAIT_DATE',
    { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 2, retryAfterAsDate: true },
    '429, Retry-After as an HTTP date',
  ),
  toFault(
    'UNAVAILABLE_WAIT',
    { kind: 'refuse', reason: 'UNAVAILABLE', retryAfterSeconds: 2 },
    '503, Retry-After in seconds',
  ),
  toFault('HTML_502', { kind: 'raw', status: 502 }, '502 with an HTML page'),
  toFault('HTML_504', { kind: 'raw', status: 504 }, '504 with an HTML page'),
  toFault('SILENCE', { kind: 'silence' }, 'no answer, ever'),
  toFault('SLOW', { kind: 'accept', delayMs: 2_000 }, '200 after 2 s'),
  toFault('LATE', { kind: 'accept', delayMs: 20_000 }, '200 after 20 s, past usual deadlines'),
  toFault('GOAWAY', { kind: 'goaway', streams: 'answer' }, '200, and GOAWAY that refuses nothing'),
  toFault(
    'GOAWAY_REFUSED',
    { kind: 'goaway', streams: 'refuse' },
    'GOAWAY; this push and later ones on the connection are refused',
  ),
  toFault('FIN', { kind: 'fin' }, 'the connection closes without an answer (FIN)'),
  toFault('TCP_RESET', { kind: 'tcp-reset' }, 'TCP reset'),
  toFault(
    'RST_STREAM',
    { kind: 'rst-stream', code: 'INTERNAL_ERROR' },
    'RST_STREAM INTERNAL_ERROR (HTTP/1.1: TCP reset)',
  ),
  toFault(
    'REFUSED_STREAM',
    { kind: 'rst-stream', code: 'REFUSED_STREAM' },
    'RST_STREAM REFUSED_STREAM (HTTP/1.1: TCP reset)',
  ),
];

export const findFcmTokenFault = createFaultFinder(FCM_TOKEN_FAULTS);
