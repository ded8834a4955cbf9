import type { IncomingMessage } from 'node:http';

import {
  isSignedWith,
  parseAuthorization,
  parseImfFixdate,
  toContentMd5,
  type SignedAuthorization,
} from '@heliograph/core';
import type { SigningKey } from '@heliograph/db';
import type { Nonces } from '@heliograph/queue';

import type { SigningKeys } from '../../developer-keys/signing-keys.ts';
import { M800Refusal } from './errors.ts';
import { listHeader, toRequestUri } from './sent-text.ts';

export interface AuthenticateDeps {
  readonly signingKeys: SigningKeys;
  readonly nonces: Nonces;
  /** How far the date of a request may be from our clock, either way. */
  readonly m800DateWindowSeconds: number;
  readonly now: () => Date;
}

/** Who made a request, as its signature proves. */
export interface Caller {
  readonly key: Omit<SigningKey, 'secrets'>;
  /** Not known to be used; the database decides. */
  readonly nonce: string;
}

export interface ReceivedRequest {
  readonly req: IncomingMessage;
  /** As it stood on the request line. */
  readonly requestTarget: string;
  /** The bytes as they came. */
  readonly body: Buffer;
}

/**
 * Resolves with the developer key that signed the request. Refuses a request that is not signed as M800 says, whose date is outside
 * the window, whose signature is wrong or of a key that is unknown or disabled (there is no telling which), or whose nonce was used.
 */
export async function authenticate(
  deps: AuthenticateDeps,
  { req, requestTarget, body }: ReceivedRequest,
): Promise<Caller> {
  const { key: developerKey, nonce, signature } = readAuthorization(req);
  const date = readDate(deps, req);
  const contentMd5 = toContentMd5(body);
  refuseOtherMd5(req, contentMd5);
  const contentType = body.length === 0 ? '' : readContentType(req);

  const { key, secrets } = await deps.signingKeys.find(developerKey);
  const isSigned = isSignedWith(secrets, {
    method: req.method ?? '',
    uri: toRequestUri(requestTarget),
    contentMd5,
    contentType,
    date,
    nonce,
    signature,
  });
  if (!isSigned || key === undefined)
    throw new M800Refusal('wrong_signature', 'The key is unknown, or the signature is wrong.');

  // Only now: a stranger is not to use up the nonces of others.
  if ((await deps.nonces.claim(key.id, nonce)) === 'accepted') throw toNonceUsed();
  return { key, nonce };
}

export function toNonceUsed(): M800Refusal {
  return new M800Refusal('nonce_used', 'A request with this nonce was accepted before.');
}

function readAuthorization(req: IncomingMessage): SignedAuthorization {
  const values = listHeader(req, 'authorization');
  const parsed = values.length === 1 ? parseAuthorization(values[0] ?? '') : undefined;
  if (parsed === undefined)
    throw new M800Refusal(
      'malformed_authorization',
      'There must be one header Authorization: MAAIISDK10 key="…", nonce="…", signature="…".',
    );
  return parsed;
}

/** The date as it was sent, which is what was signed. */
function readDate(deps: AuthenticateDeps, req: IncomingMessage): string {
  const values = listHeader(req, 'x-m-date');
  const [date = ''] = values;
  const at = values.length === 1 ? parseImfFixdate(date) : undefined;
  if (at === undefined)
    throw new M800Refusal(
      'malformed_date',
      'There must be one header X-M-Date with a date such as Thu, 12 Sep 2013 18:49:58 GMT.',
    );
  const offMs = Math.abs(deps.now().getTime() - at.getTime());
  if (offMs > deps.m800DateWindowSeconds * 1000)
    throw new M800Refusal(
      'date_outside_window',
      `X-M-Date must be within ${deps.m800DateWindowSeconds} s of the server's clock.`,
    );
  return date;
}

function refuseOtherMd5(req: IncomingMessage, contentMd5: string): void {
  if (listHeader(req, 'content-md5').some((given) => given !== contentMd5))
    throw new M800Refusal('wrong_content_md5', 'Content-MD5 is not the MD5 of the body in hex.');
}

/** Empty where none was sent; of several nobody knows which was signed, so they match nothing. */
function readContentType(req: IncomingMessage): string {
  return listHeader(req, 'content-type').join(', ');
}
