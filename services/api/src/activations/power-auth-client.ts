import { Refusal } from '@heliograph/core';
import type { Logger } from 'pino';
import { Agent, request } from 'undici';

import { toLogFacts, type RequestOrigin } from '../origin.ts';
import { isRecord } from '../http/reader.ts';

export interface PowerAuthOptions {
  /** Up to `/rest`, with or without a slash at its end. */
  readonly url: string;
  /** Sent as HTTP Basic with each call; undefined where the server wants none. */
  readonly credentials: { readonly clientToken: string; readonly clientSecret: string } | undefined;
  /** For one call, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly acceptInvalidTls: boolean;
}

export interface PowerAuthCall {
  readonly path: string;
  readonly requestObject: unknown;
  /** The request of ours that it is for. */
  readonly origin: RequestOrigin;
  /** Whether the server is told that request's id, as `X-Correlation-ID`. */
  readonly isCorrelated?: boolean;
}

/** The REST interface of a PowerAuth Server: an envelope in, an envelope out. */
export interface PowerAuthClient {
  /** Resolves with the `responseObject`. Refuses with `upstream_failed` on anything but an answer with the status OK. */
  call(call: PowerAuthCall): Promise<unknown>;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 16;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export function openPowerAuthClient(options: PowerAuthOptions, log: Logger): PowerAuthClient {
  const dispatcher = new Agent({
    connections: MAX_CONNECTIONS,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: options.timeoutMs, rejectUnauthorized: !options.acceptInvalidTls },
  });
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(options.credentials === undefined ? {} : { authorization: toBasic(options.credentials) }),
  };

  async function post(call: PowerAuthCall): Promise<unknown> {
    const { path, requestObject, origin, isCorrelated = false } = call;
    const answer = await request(base + path, {
      method: 'POST',
      headers: isCorrelated ? { ...headers, 'x-correlation-id': origin.requestId } : headers,
      body: JSON.stringify({ requestObject }),
      dispatcher,
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const body = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`answered with status ${answer.statusCode}`);
    const envelope: unknown = JSON.parse(body);
    if (!isRecord(envelope) || envelope['status'] !== 'OK') throw new Error('answered without OK');
    return envelope['responseObject'];
  }

  return {
    async call(call) {
      try {
        return await post(call);
      } catch (error) {
        log.warn(
          { err: error, path: call.path, ...toLogFacts(call.origin) },
          'powerauth server call failed',
        );
        throw new Refusal('upstream_failed', 'The PowerAuth Server could not be asked.', {
          cause: error,
        });
      }
    },
    close: () => dispatcher.close(),
  };
}

function toBasic({ clientToken, clientSecret }: NonNullable<PowerAuthOptions['credentials']>) {
  return `Basic ${Buffer.from(`${clientToken}:${clientSecret}`).toString('base64')}`;
}
