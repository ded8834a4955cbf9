import { STATUS_CODES } from 'node:http';
import type { Refuse } from '../answers/answer.ts';
import type { Wording } from '../answers/play-answer.ts';
import type { HttpAnswer } from '../transport/exchange.ts';

const DEFAULT_STATUS = 500;

/** LivePerson documents statuses and no body: a reason is the status in digits, or a text with a `status` of its own. */
export const PROXY_WORDING: Wording = {
  accept: () => ({ status: 200, headers: {} }),
  refuse: toRefusal,
};

export function statusOfProxyReason(reason: string): number {
  return Object.hasOwn(STATUS_CODES, reason) ? Number(reason) : DEFAULT_STATUS;
}

export function toRefusal({
  reason,
  status = statusOfProxyReason(reason),
}: Pick<Refuse, 'reason' | 'status'>): HttpAnswer {
  const error = reason === String(status) ? STATUS_CODES[reason] : reason;
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error }),
  };
}

/** As nginx words it with `ssl_verify_client on`: the handshake has succeeded, and HTTP says what is wrong. */
export function toCertificatePage(certificateShown: boolean): HttpAnswer {
  const [title, text] = certificateShown
    ? ['400 The SSL certificate error', 'The SSL certificate error']
    : ['400 No required SSL certificate was sent', 'No required SSL certificate was sent'];
  const lines = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    '<center><h1>400 Bad Request</h1></center>',
    `<center>${text}</center>`,
    '<hr><center>nginx</center>',
    '</body>',
    '</html>',
    '',
  ];
  return { status: 400, headers: { 'content-type': 'text/html' }, body: lines.join('\r\n') };
}
