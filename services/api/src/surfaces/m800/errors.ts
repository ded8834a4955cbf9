import { Refusal, type RefusalCode } from '@heliograph/core';

/**
 * The numbers of this surface's errors: the HTTP status and two digits of our own. Those with `00` say no more than the status;
 * docs/m800.md says when each comes.
 */
export const M800_ERRORS = {
  malformed_authorization: 40101,
  malformed_date: 40102,
  date_outside_window: 40103,
  wrong_content_md5: 40104,
  wrong_signature: 40105,
  nonce_used: 40106,
  unknown_receiver: 40401,
  unknown_request: 40402,
} as const;

export type M800Error = keyof typeof M800_ERRORS;

/** A refusal with a number of its own. */
export class M800Refusal extends Refusal {
  readonly number: number;

  constructor(error: M800Error, message: string) {
    super(toRefusalCode(error), message);
    this.number = M800_ERRORS[error];
  }
}

function toRefusalCode(error: M800Error): RefusalCode {
  return M800_ERRORS[error] < 40200 ? 'unauthenticated' : 'not_found';
}

/** What every error under this surface's path looks like. */
export function renderM800Error(refusal: Refusal): unknown {
  const { status, message } = refusal;
  const code = refusal instanceof M800Refusal ? refusal.number : status * 100;
  return { error: { status, code, message } };
}
