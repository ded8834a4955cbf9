import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createSecureContext, type TLSSocket } from 'node:tls';

import type { Logger } from 'pino';

import {
  KEEP_ALIVE_MS,
  listenWith,
  type HttpServer,
  type ListenAddress,
} from '../../http/server.ts';

/** Who we are, and whose certificates get past the handshake. All PEM. */
export interface ListenerIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer;
}

export interface ListenerOptions extends ListenAddress {
  readonly identity: ListenerIdentity;
  /** How long a request may take to arrive. */
  readonly requestMs?: number;
}

/** A client that is slower than that is nobody's backend: so long for the handshake, and for a whole request. */
const HANDSHAKE_MS = 10_000;
const REQUEST_MS = 15_000;
const CHECK_MS = 1_000;
/** A sender needs a few. What holds more of them open has no certificate of ours, or has lost its mind. */
const MAX_CONNECTIONS = 2_000;
const EXPIRY_WARNING_MS = 30 * 24 * 3_600_000;

/** Takes connections of clients only whose certificate is valid and of one of the authorities. */
export function openReceiverServer(
  listener: RequestListener,
  { identity, host, port, requestMs = REQUEST_MS }: ListenerOptions,
  log: Logger,
): Promise<HttpServer> {
  const server = createServer(
    {
      cert: identity.cert,
      key: identity.key,
      ca: identity.clientCa,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, requestMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    listener,
  );
  server.maxConnections = MAX_CONNECTIONS;
  noteExpiry(identity, log);
  // The sender sees a broken connection and no reason: that stands here alone.
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) =>
    log.info(
      { reason: socket.authorizationError ?? error.code, address: socket.remoteAddress },
      'no handshake with a client of the LivePerson listener',
    ),
  );
  return listenWith(server, { host, port }, 'LIVEPERSON_PORT');
}

/** What keeps the listener from serving with these files, one mistake a line. */
export function findIdentityMistakes({ cert, key, clientCa }: ListenerIdentity): string[] {
  const certificate = tryParse(() => new X509Certificate(cert));
  const privateKey = tryParse(() => createPrivateKey(key));
  const mistakes = [];
  if (certificate === undefined)
    mistakes.push('LIVEPERSON_TLS_CERT_FILE holds no certificate in PEM');
  if (privateKey === undefined)
    mistakes.push('LIVEPERSON_TLS_KEY_FILE holds no private key in PEM, or an encrypted one');
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey))
    mistakes.push('LIVEPERSON_TLS_KEY_FILE does not fit LIVEPERSON_TLS_CERT_FILE');
  if (tryParse(() => new X509Certificate(clientCa)) === undefined)
    mistakes.push('LIVEPERSON_CLIENT_CA_FILE holds no certificate in PEM');
  if (mistakes.length > 0) return mistakes;
  // Whatever else OpenSSL has against them.
  try {
    createSecureContext({ cert, key, ca: clientCa });
    return [];
  } catch (error) {
    return [`the LIVEPERSON files can't serve TLS: ${String(error)}`];
  }
}

/** Senders refuse us once our own certificate has ended. The other listener is not to stay away for that. */
function noteExpiry({ cert }: ListenerIdentity, log: Logger): void {
  const validTo = new Date(new X509Certificate(cert).validTo);
  if (validTo.getTime() > Date.now() + EXPIRY_WARNING_MS) return;
  if (validTo > new Date())
    log.error({ validTo }, 'the certificate of the LivePerson listener ends soon');
  else log.error({ validTo }, 'the certificate of the LivePerson listener has expired');
}

function tryParse<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
