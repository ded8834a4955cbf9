import { sign } from 'node:crypto';

import type { SandboxCredentials } from './sandbox.ts';

/** What token authentication to APNs wants, minted now. */
export function toProviderToken({
  keyId,
  teamId,
  privateKeyBase64,
}: SandboxCredentials['apns']): string {
  const claims = { iss: teamId, iat: Math.floor(Date.now() / 1000) };
  const signed = `${encode({ alg: 'ES256', kid: keyId })}.${encode(claims)}`;
  const key = Buffer.from(privateKeyBase64, 'base64').toString();
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
