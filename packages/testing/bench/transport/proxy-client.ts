import { readFileSync } from 'node:fs';
import path from 'node:path';

import { createProviderPool, PRODUCTION_ENDPOINTS } from '@heliograph/providers';

import type { PushClient, PushTarget } from './push-client.ts';
import { PROXY_MESSAGE } from './proxy-message.ts';

const IDLE_MS = 600_000;

/** Our provider for customers' proxies, as the dispatcher has it for messages. */
export async function openProxyClient({ url, caFile }: PushTarget): Promise<PushClient> {
  const pool = createProviderPool({
    endpoints: { ...PRODUCTION_ENDPOINTS, proxy: { allowPrivateAddresses: true } },
    idleMs: IDLE_MS,
  });
  const folder = path.dirname(caFile);
  const provider = pool.get({
    provider: 'apns',
    route: 'proxy',
    id: 'bench',
    version: 1,
    url: `${url}/push`,
    certificatePem: readFileSync(path.join(folder, 'server.pem'), 'utf8'),
    privateKeyPem: readFileSync(path.join(folder, 'server-key.pem'), 'utf8'),
    caPem: readFileSync(caFile, 'utf8'),
    schema: 'current',
    goneOn: [],
    retry: 'documented',
  });
  const message = PROXY_MESSAGE;

  return {
    send(pushToken, deliveryId, onStatus) {
      const push = { deliveryId, pushToken, message, environment: 'production' } as const;
      void provider.send(push).then(({ status = 0 }) => onStatus(status));
      return true;
    },
    onRoom: () => undefined,
    close: () => pool.close(),
  };
}
