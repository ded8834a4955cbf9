import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

import { connectHttp2, RequestTemplate } from '@heliograph/http2';

import { toProviderToken } from '../provider-token.ts';
import type { PushClient, PushTarget } from './push-client.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const DEADLINE_MS = 10_000;
const DRAIN_MS = 5_000;

/** Ours: one connection. */
export async function openHeliographClient(target: PushTarget): Promise<PushClient> {
  const { host, hostname, port } = new URL(target.url);
  const connection = await connectHttp2({
    host: hostname,
    port: Number(port),
    secureContext: createSecureContext({ ca: readFileSync(target.caFile) }),
    timeoutMs: CONNECT_TIMEOUT_MS,
    maxStreams: target.inFlight,
    events: {
      onCapacity: () => client.onRoom(),
      onGoaway: () => undefined,
      onClose: () => undefined,
    },
  });
  const { 'apns-expiration': expiration = '0', ...shared } = target.headers;
  const template = new RequestTemplate({
    method: 'POST',
    authority: host,
    shared: Object.entries(shared),
    own: [['apns-expiration', expiration]],
    secret: [['authorization', `bearer ${toProviderToken(target.credentials)}`]],
  });

  const client: PushClient = {
    send: (pushToken, apnsId, onStatus) =>
      connection.request({
        template,
        path: `/3/device/${pushToken}`,
        fields: [['apns-id', apnsId]],
        body: target.body,
        deadlineMs: DEADLINE_MS,
        onEnd: (end) => onStatus(end.kind === 'answered' && end.isComplete ? end.status : 0),
      }),
    onRoom: () => undefined,
    close: () => connection.drain(DRAIN_MS),
  };
  return client;
}
