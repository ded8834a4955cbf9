import { isIP, type TcpSocketConnectOpts } from 'node:net';
import { connect, type ConnectionOptions, type SecureContext } from 'node:tls';

import { Connection } from './connection.ts';
import type { ConnectionEvents, Http2Connection } from './http2-connection.ts';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** What the peer is trusted by, and what we show it where it asks for a certificate. */
  readonly secureContext: SecureContext;
  /** Until the server's settings are there. */
  readonly timeoutMs: number;
  /** So many requests at once, also where the server allows more. */
  readonly maxStreams: number;
  readonly events: ConnectionEvents;
}

/** There is no connection, so nothing was sent. `code` is node's, OpenSSL's, the system's, or one of ours. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const READ_BYTES = 65_536;

/** Connects and waits for the server's settings. Rejects with a `ConnectError`. */
export function connectHttp2(options: ConnectOptions): Promise<Http2Connection> {
  const { host, port, secureContext, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    let connection: Connection | undefined;
    const tls: ConnectionOptions & Pick<TcpSocketConnectOpts, 'onread'> = {
      host,
      port,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      secureContext,
      // One buffer for all that is read: it is taken apart before the next comes.
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback(bytes, buffer) {
          connection?.read(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    };
    const socket = connect(tls);
    socket.setNoDelay(true);

    const refuse = (code: string, cause?: unknown) => {
      clearTimeout(timer);
      reject(new ConnectError(code, `no connection to ${host}:${port}: ${code}`, { cause }));
    };
    const giveUp = (code: string, cause?: unknown) => {
      refuse(code, cause);
      socket.destroy();
    };
    const timer = setTimeout(() => giveUp('ETIMEDOUT'), timeoutMs);
    socket.on('error', (error) => giveUp(toCode(error), error));
    socket.once('close', () => refuse('ECONNRESET'));
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') return giveUp('ERR_TLS_NO_HTTP2');
      connection = new Connection(socket, {
        maxStreams: options.maxStreams,
        events: options.events,
        onReady: (failure) => {
          // It has words for the peer still, and closes by itself.
          if (failure !== undefined) return refuse(failure);
          clearTimeout(timer);
          if (connection !== undefined) resolve(connection);
        },
      });
    });
  });
}

function toCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'connect_failed';
}
