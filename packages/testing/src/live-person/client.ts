import { createHash, X509Certificate } from 'node:crypto';
import { request, type RequestOptions } from 'node:https';

import { createAuthority, createServerCertificate, type Authority } from '@heliograph/sandbox';

/** What a client shows in the handshake. All PEM. */
export interface ClientIdentity {
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 24 * 3_600_000;

/** A client's certificate of the authority, good for a year from `now` minus its age. */
export function makeClient(authority: Authority, ageDays = 0): ClientIdentity {
  return createServerCertificate(authority, new Date(Date.now() - ageDays * DAY_MS));
}

export function makeAuthority(): Authority {
  return createAuthority(new Date());
}

export function fingerprintOf({ certPem }: ClientIdentity): Buffer {
  return createHash('sha256').update(new X509Certificate(certPem).raw).digest();
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface PushRequest {
  readonly port: number;
  readonly caPem: string;
  readonly client?: ClientIdentity | undefined;
  /** Text goes as it is, anything else as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly options?: RequestOptions;
}

/** Posts as LivePerson does, on a connection of its own. Rejects where there is no handshake, or no answer. */
export function postPush(push: PushRequest): Promise<ReceiverAnswer> {
  const { port, caPem, client, body, headers = {}, options = {} } = push;
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path: push.path ?? '/push/proxy/liveperson',
        method: push.method ?? 'POST',
        agent: false,
        ca: caPem,
        ...(client === undefined ? {} : { cert: client.certPem, key: client.keyPem }),
        headers: { 'content-type': 'application/json', ...headers },
        ...options,
      },
      (res) => {
        let answer = '';
        res.on('data', (chunk: Buffer) => (answer += chunk.toString()));
        res.once('error', reject);
        res.once('end', () => {
          const parsed: ReceiverAnswer['body'] = JSON.parse(answer || '{}');
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: parsed });
        });
      },
    );
    req.once('error', reject);
    req.end(text);
  });
}
