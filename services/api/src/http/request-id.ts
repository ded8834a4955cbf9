import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the original calls a correlation id; anything else is not taken over. */
const ACCEPTED = /^[a-zA-Z0-9-]{8,128}$/;

/** Answers with the caller's id of the request, or one of ours, as `X-Correlation-ID`; the log names it where a request fails. */
export function setRequestId({ headers }: IncomingMessage, res: ServerResponse): void {
  const given = toAccepted(headers['x-correlation-id']) ?? toAccepted(headers['x-request-id']);
  res.setHeader('X-Correlation-ID', given ?? randomUUID());
}

function toAccepted(id: string | string[] | undefined): string | undefined {
  return typeof id === 'string' && ACCEPTED.test(id) ? id : undefined;
}
