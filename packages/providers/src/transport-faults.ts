import type { Outcome, Retry } from '@heliograph/core';

/** How far causes are followed. */
const MAX_DEPTH = 8;

/** Node's and OpenSSL's names for a certificate or a handshake that will fail again the next time. */
const TLS_FAULT =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_CA$|PATH_LENGTH_EXCEEDED$|INVALID_PURPOSE$)/;

/** The error codes from the outermost error to its innermost cause. */
export function listErrorCodes(error: unknown): readonly string[] {
  const codes: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && isObject(current); depth += 1) {
    if ('code' in current && typeof current.code === 'string') codes.push(current.code);
    current = toCause(current);
  }
  return codes;
}

/**
 * No connection was made, so nothing was sent. A fault of TLS is the endpoint's or our trust in it, and waiting does
 * not heal it; everything else is the network.
 */
export function toConnectOutcome(error: unknown, backoff: Retry['backoff']): Outcome {
  const code = listErrorCodes(error).at(-1) ?? 'connect_failed';
  if (TLS_FAULT.test(code)) return { kind: 'pause', reason: code, scope: 'endpoint' };
  return { kind: 'retry', reason: code, backoff, bound: 'expiry' };
}

/** VError, which node-apn wraps errors in, has its cause as a function. */
function toCause(error: object): unknown {
  if (!('cause' in error)) return undefined;
  const { cause } = error;
  return typeof cause === 'function' ? cause.call(error) : cause;
}

/** Not `instanceof Error`: what comes from another realm is none. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
