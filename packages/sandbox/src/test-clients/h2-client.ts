import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';

export interface H2Answer {
  /** Undefined if the stream ended without one. */
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly rstCode: number | undefined;
  readonly errorCode: string | undefined;
}

export interface H2Client {
  readonly session: ClientHttp2Session;
  /** The opaque data of each GOAWAY frame. */
  readonly goaways: (string | undefined)[];
  /** Settles when the stream closes, whatever the reason. */
  request(headers: Record<string, string | string[]>, body?: string): Promise<H2Answer>;
  close(): void;
}

/** PEM: what a client shows in the handshake. */
export interface ClientIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A bare client over node:http2 that waits for the server's SETTINGS, as APNs wants. */
export async function openH2Client(
  url: string,
  caPem: string,
  identity?: ClientIdentity,
): Promise<H2Client> {
  const client = openHastyH2Client(url, caPem, identity);
  await once(client.session, 'remoteSettings');
  return client;
}

/** One that sends before it knows how many streams it may open. */
export function openHastyH2Client(url: string, caPem: string, identity?: ClientIdentity): H2Client {
  const shown = identity && { cert: identity.certPem, key: identity.keyPem };
  const session = connect(url, { ca: caPem, ...shown });
  session.on('error', () => undefined);
  const goaways: (string | undefined)[] = [];
  session.on('goaway', (_code, _last, data) => goaways.push(data?.toString()));
  return { session, goaways, request, close: () => session.destroy() };

  function request(headers: Record<string, string | string[]>, body = ''): Promise<H2Answer> {
    return new Promise((resolve) => {
      const stream = session.request({ ':method': 'POST', ...headers });
      let answer: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
      let text = '';
      let errorCode: string | undefined;
      stream.setEncoding('utf8');
      stream.on('response', (received) => (answer = received));
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('error', (error: NodeJS.ErrnoException) => (errorCode = error.code));
      stream.on('close', () => {
        const { rstCode } = stream;
        resolve({ status: answer[':status'], headers: answer, body: text, rstCode, errorCode });
      });
      stream.end(body);
    });
  }
}
