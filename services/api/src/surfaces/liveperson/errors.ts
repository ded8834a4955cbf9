import type { Refusal } from '@heliograph/core';

/** A refusal as LivePerson gets it, which documents 200, 401, 403 and 500, and repeats what ended with a 5xx: all our trouble is a 500. */
export function renderLivePersonError({ status, code, message }: Refusal) {
  return { status: Math.min(status, 500), body: { status: 'ERROR', code, message } };
}
