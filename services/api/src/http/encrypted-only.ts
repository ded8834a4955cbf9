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
    if (toTransport(req, trustedProxies) === 'clear')
      throw new Refusal('forbidden', 'This is served over https only.');
    next();
  };
}

/** How a request came: by https, to us or to a proxy that we trust; from this machine; or over a network in the clear. */
export type Transport = 'https' | 'local' | 'clear';

export function toTransport(
  { socket, headers }: IncomingMessage,
  trustedProxies: BlockList,
): Transport {
  if (socket instanceof TLSSocket) return 'https';
  const forwarded = toProtocols(headers['x-forwarded-proto']);
  // A proxy that adds to the header, instead of replacing it, passes on what a stranger wrote: so every entry counts.
  if (!forwarded.every((protocol) => protocol === 'https')) return 'clear';
  const isLocal = isListed(LOOPBACK, socket.remoteAddress);
  if (forwarded.length === 0) return isLocal ? 'local' : 'clear';
  return isLocal || isListed(trustedProxies, socket.remoteAddress) ? 'https' : 'clear';
}

function toProtocols(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  return [header]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim().toLowerCase());
}
