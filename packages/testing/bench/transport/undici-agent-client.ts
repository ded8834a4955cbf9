import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Agent } from 'undici';

import type { PushClient, PushTarget } from './push-client.ts';

const CONNECTIONS = 8;

/** undici as anybody would use it: an agent with a certificate, a request, and its answer read to the end. */
export async function openUndiciAgentClient(target: PushTarget): Promise<PushClient> {
  const { url, caFile, headers, body } = target;
  const folder = path.dirname(caFile);
  const agent = new Agent({
    connections: CONNECTIONS,
    pipelining: 1,
    connect: {
      ca: readFileSync(caFile, 'utf8'),
      cert: readFileSync(path.join(folder, 'server.pem'), 'utf8'),
      key: readFileSync(path.join(folder, 'server-key.pem'), 'utf8'),
    },
  });
  const rest = body.slice(1);

  async function post(pushToken: string, deliveryId: string): Promise<number> {
    const answer = await agent.request({
      origin: url,
      path: '/push',
      method: 'POST',
      headers: { ...headers, 'x-request-id': deliveryId, 'idempotency-key': deliveryId },
      body: `{"device-token":${JSON.stringify(pushToken)},${rest}`,
    });
    await answer.body.dump();
    return answer.statusCode;
  }
  return {
    send(pushToken, deliveryId, onStatus) {
      void post(pushToken, deliveryId).then(onStatus, () => onStatus(0));
      return true;
    },
    onRoom: () => undefined,
    close: () => agent.close(),
  };
}
