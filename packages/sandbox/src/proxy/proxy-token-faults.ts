import { STATUS_CODES } from 'node:http';
import { createFaultFinder, toFault, type TokenFault } from '../answers/token-faults.ts';

const REFUSALS = [
  400, 401, 403, 404, 405, 407, 408, 409, 410, 413, 415, 422, 425, 429, 500, 501, 502, 503, 504,
];

export const PROXY_TOKEN_FAULTS: readonly TokenFault[] = [
  ...REFUSALS.map((status) =>
    toFault(
      String(status),
      { kind: 'refuse', reason: String(status) },
      `${status} ${STATUS_CODES[status]}`,
    ),
  ),
  toFault('202', { kind: 'raw', status: 202, body: '{}', contentType: 'application/json' }, '202'),
  toFault('204', { kind: 'raw', status: 204, body: '' }, '204'),
  toFault(
    '429_WAIT',
    { kind: 'refuse', reason: '429', retryAfterSeconds: 2 },
    '429, Retry-After in seconds',
  ),
  toFault(
    '429_WAIT_DATE',
    { kind: 'refuse', reason: '429', retryAfterSeconds: 2, retryAfterAsDate: true },
    '429, Retry-After as an HTTP date',
  ),
  toFault(
    '503_WAIT',
    { kind: 'refuse', reason: '503', retryAfterSeconds: 2 },
    '503, Retry-After in seconds',
  ),
  toFault('HTML_400', { kind: 'raw', status: 400 }, '400 with an HTML page'),
  toFault('HTML_502', { kind: 'raw', status: 502 }, '502 with an HTML page'),
  toFault('REDIRECT', { kind: 'redirect' }, '307 to the same path'),
  toFault('ENDLESS', { kind: 'endless' }, '200 with a body that never ends'),
  toFault('DRIP', { kind: 'endless', everyMs: 100 }, '200 with a body of a byte every 100 ms'),
  toFault('SILENCE', { kind: 'silence' }, 'no answer, ever'),
  toFault('SLOW', { kind: 'accept', delayMs: 2_000 }, '200 after 2 s'),
  toFault('LATE', { kind: 'accept', delayMs: 15_000 }, '200 after 15 s, past usual deadlines'),
  toFault('FIN', { kind: 'fin' }, 'the connection closes without an answer (FIN)'),
  toFault('TCP_RESET', { kind: 'tcp-reset' }, 'TCP reset, once the body was read'),
];

export const findProxyTokenFault = createFaultFinder(PROXY_TOKEN_FAULTS);
