import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { TLSSocket } from 'node:tls';

import { Refusal } from '@heliograph/core';
import type { RequestHandler } from 'express';

import { LOOPBACK } from './loopback.ts';
import { isListed } from './trusted-proxies.ts';

/**
 * Refuses requests that came over a network in the clear. Taken are those over TLS to us, those from this machine, and those from a
 * trusted proxy that says by `X-Forwarded-Proto` that they came to it by https.
 */
export function encryptedOnly(trustedProxies: BlockList): RequestHandler {
  return (req, _res, next) => {
    if (!cameEncrypted(req, trustedProxies))
      throw new Refusal('forbidden', 'This is served over https only.');
    next();
  };
}

function cameEncrypted({ socket, headers }: IncomingMessage, trustedProxies: BlockList): boolean {
  if (socket instanceof TLSSocket) return true;
  const forwarded = toProtocols(headers['x-forwarded-proto']);
  // A proxy that adds to the header, instead of replacing it, passes on what a stranger wrote: so every entry counts.
  const allEncrypted = forwarded.every((protocol) => protocol === 'https');
  if (isListed(LOOPBACK, socket.remoteAddress)) return allEncrypted;
  return isListed(trustedProxies, socket.remoteAddress) && forwarded.length > 0 && allEncrypted;
}

function toProtocols(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  return [header]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim().toLowerCase());
}
