import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { ClientIdentity } from './h2-client.ts';

export interface ProxyRequest {
  readonly ca: string;
  readonly identity?: ClientIdentity;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly tls?: { readonly minVersion?: 'TLSv1.3'; readonly maxVersion?: 'TLSv1.2' };
  /** Looks at the answer's body no further once so many bytes have come. */
  readonly enoughBytes?: number;
}

export interface ProxyAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Over HTTP/1.1 on a connection of its own; rejects with the socket's error. */
export function callProxy(url: string, options: ProxyRequest): Promise<ProxyAnswer> {
  const { ca, identity, method = 'POST', headers = {}, body = '', tls } = options;
  const { enoughBytes = Number.POSITIVE_INFINITY } = options;
  return new Promise((resolve, reject) => {
    const shown = identity && { cert: identity.certPem, key: identity.keyPem };
    const agent = new Agent({ ca, ...shown, ...tls, keepAlive: false });
    const sent = httpsRequest(url, { method, headers, agent }, (response) => {
      const { statusCode: status, headers: received } = response;
      let text = '';
      const finish = () => {
        resolve({ status, headers: received, text });
        sent.destroy();
      };
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length >= enoughBytes) finish();
      });
      response.on('error', reject);
      response.on('end', finish);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
