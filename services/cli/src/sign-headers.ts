import { randomBytes } from 'node:crypto';

import {
  parseAuthorization,
  parseImfFixdate,
  signRequest,
  toAuthorization,
} from '@heliograph/core';

import { UsageError } from './command.ts';

const NONCE_BYTES = 16;

/** The headers of a signed request, as pairs. A nonce that is not given is a random one. */
export function signHeaders(request: {
  readonly key: string;
  readonly secret: string;
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly date: string;
  readonly nonce: string | undefined;
}): readonly (readonly [string, string])[] {
  const { key, body, contentType, date } = request;
  const nonce = request.nonce ?? randomBytes(NONCE_BYTES).toString('hex');
  if (parseImfFixdate(date) === undefined)
    throw new UsageError(`--date ${date} is not like 'Thu, 12 Sep 2013 18:49:58 GMT'.`);
  if (/[^\x20-\x7e]/.test(contentType))
    throw new UsageError('--content-type holds what no header may hold.');

  const authorization = toAuthorization({
    key,
    nonce,
    signature: signRequest({ ...request, nonce }),
  });
  if (parseAuthorization(authorization) === undefined)
    throw new UsageError('Keys and nonces have 1 to 128 printable characters and no quote.');
  return [
    ['Authorization', authorization],
    ['X-M-Date', date],
    ...(body.length === 0 ? [] : [['Content-Type', contentType] as const]),
  ];
}
