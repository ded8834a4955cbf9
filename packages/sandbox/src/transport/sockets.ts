import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from './exchange.ts';

interface SocketPair {
  readonly tcp: Socket;
  /** Present once the handshake is done. */
  tls?: TLSSocket;
  /** Read once: it costs more than a request. */
  client?: ClientCertificate | undefined;
}

/**
 * The open sockets of one listener. node:http2 forbids to touch the socket of a session, and a TLS socket cannot be
 * reset, so both are kept here by the client's port.
 */
export class Sockets {
  readonly #byPort = new Map<number, SocketPair>();

  addTcp(tcp: Socket): void {
    const port = tcp.remotePort;
    if (port === undefined) return;
    this.#byPort.set(port, { tcp });
    tcp.once('close', () => this.#byPort.delete(port));
  }

  addTls(tls: TLSSocket): void {
    const pair = this.#byPort.get(tls.remotePort ?? 0);
    if (!pair) return;
    pair.tls = tls;
    pair.client = toClient(tls);
  }

  findClient(port: number | undefined): ClientCertificate | undefined {
    return this.#byPort.get(port ?? 0)?.client;
  }

  end(port: number | undefined): void {
    this.#byPort.get(port ?? 0)?.tls?.end();
  }

  reset(port: number | undefined): void {
    this.#byPort.get(port ?? 0)?.tcp.resetAndDestroy();
  }

  destroyAll(): void {
    for (const { tcp } of this.#byPort.values()) tcp.destroy();
  }

  get size(): number {
    return this.#byPort.size;
  }
}

function toClient(tls: TLSSocket): ClientCertificate | undefined {
  const certificate = tls.getPeerX509Certificate();
  return certificate && { fingerprint: certificate.fingerprint256, trusted: tls.authorized };
}
