import type { SecureContext } from 'node:tls';
import { Agent, buildConnector } from 'undici';

const CONNECT_TIMEOUT_MS = 5_000;
/** Answers have some hundred bytes. */
const MAX_RESPONSE_BYTES = 256 * 1024;

/** There was no connection, so nothing was written. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/** For what is asked now and then, an access token: HTTP/1.1, where a request has its connection to itself. */
export function createHttpAgent(connections: number, trust: SecureContext): Agent {
  const connect = buildConnector({ secureContext: trust, timeout: CONNECT_TIMEOUT_MS });
  return new Agent({
    connections,
    pipelining: 1,
    maxResponseSize: MAX_RESPONSE_BYTES,
    connect(options, callback) {
      connect(options, (error, socket) => {
        if (error) callback(new ConnectError(error.message, { cause: error }), null);
        else callback(null, socket);
      });
    },
  });
}
