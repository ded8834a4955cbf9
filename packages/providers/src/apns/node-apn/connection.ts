import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import { isIP } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { Notification, Provider, type ProviderOptions } from '@parse/node-apn';
import type { Outcome } from '@heliograph/core';
import { findText } from '../../json.ts';
import { toApnsOutcome } from '../answers.ts';
import { toFailedAttempt } from './failures.ts';
import type { SigningKey } from '../signing-key.ts';

/** Shorter than any deadline of a send, so that a host out of reach is known as such and not as a lost answer. */
const CONNECT_TIMEOUT_MS = 5_000;
/** For the goodbyes of a connection that owes nothing any more. */
const GOODBYE_MS = 1_000;

declare module '@parse/node-apn' {
  interface Provider {
    /** Not in the typings of 8.1. */
    readonly client: {
      closeAndDestroySession(session: ClientHttp2Session | undefined): Promise<void>;
    };
  }
}

export interface ApnsConnectionOptions {
  readonly url: URL;
  readonly trust: SecureContext;
  /** Undefined where the connection shows a certificate instead: that is in `trust`. */
  readonly key: SigningKey | undefined;
  readonly requestTimeoutMs: number;
}

export interface ApnsRequest {
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON */
  readonly body: string;
}

/** One HTTP/2 connection to APNs through node-apn, which opens it again by itself after the other side closed it. */
export class ApnsConnection {
  readonly #provider: Provider;
  readonly #sockets = new Set<TLSSocket>();

  /** Throws where nothing can be signed with the key. Connects with the first push. */
  constructor({ url, trust, key, requestTimeoutMs }: ApnsConnectionOptions) {
    const port = Number(url.port || 443);
    const options: ProviderOptions & SecureClientSessionOptions = {
      ...(key ? { token: { key: key.pem, keyId: key.keyId, teamId: key.teamId } } : SHOWN_BY_TRUST),
      address: url.hostname,
      port,
      requestTimeout: requestTimeoutMs,
      // Its own retries know no delay and no attempt of ours.
      connectionRetryLimit: 0,
      // APNs allows one stream until it has seen a valid token. Node would take 100 for granted, and lose 99.
      peerMaxConcurrentStreams: 1,
      createConnection: () => this.#connect(url.hostname, port, trust),
    };
    this.#provider = new Provider(options);
    // On a second GOAWAY and on a second 500, node-apn destroys the connection with all that is in flight.
    this.#provider.client.closeAndDestroySession = drain;
  }

  async send(request: ApnsRequest): Promise<{ outcome: Outcome; status?: number }> {
    const { sent, failed } = await this.#provider.send(new Prepared(request), request.token);
    const failure = failed[0];
    if (failure) return toFailedAttempt(failure);

    const providerMessageId = findText(sent[0], 'apns-id');
    const outcome = toApnsOutcome({
      status: 200,
      ...(providerMessageId !== undefined && { providerMessageId }),
    });
    return { outcome, status: 200 };
  }

  /** To be called when no answer is owed any more. */
  async close(): Promise<void> {
    const closed = [...this.#sockets].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    await new Promise<void>((resolve) => void this.#provider.shutdown(resolve));
    await Promise.all(closed);
    clearTimeout(timer);
  }

  /** Answers owed are lost. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(host: string, port: number, trust: SecureContext): TLSSocket {
    const socket = connect({
      host,
      port,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['h2'],
      secureContext: trust,
    });
    const timer = setTimeout(() => socket.destroy(new ConnectTimeout()), CONNECT_TIMEOUT_MS);
    this.#sockets.add(socket);
    socket.once('secureConnect', () => clearTimeout(timer));
    socket.once('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    return socket;
  }
}

/** Keeps node-apn from reading files of its own choice. It can't parse this, and goes on with our socket. */
const SHOWN_BY_TRUST = { cert: Buffer.from('none'), key: Buffer.from('none') };

/** What node-apn asks of a notification; the JSON is made once per message, not per delivery. */
class Prepared extends Notification {
  readonly #request: ApnsRequest;

  constructor(request: ApnsRequest) {
    super();
    this.#request = request;
  }

  headers(): Readonly<Record<string, string>> {
    return this.#request.headers;
  }

  compile(): string {
    return this.#request.body;
  }
}

class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
  }
}

/** Open streams still get their answers, then node ends the connection. */
async function drain(session: ClientHttp2Session | undefined): Promise<void> {
  if (session && !session.closed && !session.destroyed) session.close();
}
