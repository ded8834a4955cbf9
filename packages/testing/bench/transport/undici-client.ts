import { readFileSync } from 'node:fs';

import { Client } from 'undici';

import { toProviderToken } from '../provider-token.ts';
import type { PushClient, PushTarget } from './push-client.ts';

/** undici's client with HTTP/2, which it takes for pipelining. */
export async function openUndiciClient(target: PushTarget): Promise<PushClient> {
  const client = new Client(target.url, {
    allowH2: true,
    connect: { ca: readFileSync(target.caFile, 'utf8') },
    pipelining: target.inFlight,
    maxConcurrentStreams: target.inFlight,
  });
  const headers = {
    ...target.headers,
    authorization: `bearer ${toProviderToken(target.credentials)}`,
  };

  async function post(pushToken: string, apnsId: string): Promise<number> {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: `/3/device/${pushToken}`,
      headers: { ...headers, 'apns-id': apnsId },
      body: target.body,
      // Or it would send one after the other, as it does with what must not be sent twice.
      idempotent: true,
    });
    await body.dump();
    return statusCode;
  }
  return {
    send(pushToken, apnsId, onStatus) {
      void post(pushToken, apnsId).then(onStatus, () => onStatus(0));
      return true;
    },
    onRoom: () => undefined,
    close: () => client.close(),
  };
}
