import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

import {
  connectHttp2,
  RequestTemplate,
  type HeaderField,
  type Request,
  type RequestEnd,
} from '@heliograph/http2';

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
      connection.request(new BenchRequest(template, pushToken, apnsId, target.body, onStatus)),
    onRoom: () => undefined,
    close: () => connection.drain(DRAIN_MS),
  };
  return client;
}

class BenchRequest implements Request {
  readonly template: RequestTemplate;
  readonly path: string;
  readonly fields: readonly HeaderField[];
  readonly body: string | Buffer;
  readonly deadlineMs = DEADLINE_MS;
  readonly #onStatus: (status: number) => void;

  constructor(
    template: RequestTemplate,
    pushToken: string,
    apnsId: string,
    body: string | Buffer,
    onStatus: (status: number) => void,
  ) {
    this.template = template;
    this.path = `/3/device/${pushToken}`;
    this.fields = [['apns-id', apnsId]];
    this.body = body;
    this.#onStatus = onStatus;
  }

  onEnd(end: RequestEnd): void {
    this.#onStatus(end.kind === 'answered' && end.isComplete ? end.status : 0);
  }
}
