import type { Socket } from 'node:net';

interface SocketPair {
  readonly tcp: Socket;
  /** Present once the handshake is done. */
  tls?: Socket;
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

  addTls(tls: Socket): void {
    const pair = this.#byPort.get(tls.remotePort ?? 0);
    if (pair) pair.tls = tls;
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
