import { readFileSync } from 'node:fs';

import type { PushMessage } from '@heliograph/core';
import { createProviderPool, type Push, type PushFeed } from '@heliograph/providers';

import { PUSH_BODY } from '../load-request.ts';
import type { PushClient, PushTarget } from './push-client.ts';

const IDLE_MS = 600_000;
const DAY_MS = 86_400_000;

interface EnginePush extends Push {
  readonly onStatus: (status: number) => void;
}

/** Our provider for APNs, as the dispatcher has it for campaigns: it opens connections as it needs them, and asks for pushes as streams are free. */
export async function openEngineClient(target: PushTarget): Promise<PushClient> {
  const { bundle, keyId, teamId, privateKeyBase64 } = target.credentials;
  const pool = createProviderPool({
    endpoints: {
      apns: {
        production: target.url,
        development: target.url,
        ca: readFileSync(target.caFile, 'utf8'),
      },
      fcm: { url: target.url, tokenUrl: target.url, allowedTokenUris: [] },
      proxy: { allowPrivateAddresses: false },
    },
    idleMs: IDLE_MS,
  });
  const provider = pool.get({
    provider: 'apns',
    route: 'direct',
    id: 'bench',
    version: 1,
    environment: undefined,
    bundle,
    auth: 'token',
    keyId,
    teamId,
    privateKey: Buffer.from(privateKeyBase64, 'base64'),
  });
  const message: PushMessage = {
    id: 'bench',
    silent: false,
    priority: 'HIGH',
    expiresAt: new Date(Date.now() + DAY_MS),
    body: PUSH_BODY,
  };

  let waiting: EnginePush[] = [];
  let given = 0;
  let isFeeding = false;
  const feed: PushFeed<EnginePush> = {
    environment: 'production',
    next() {
      const push = waiting[given];
      if (push !== undefined) given += 1;
      if (given === waiting.length) {
        waiting = [];
        given = 0;
      }
      return push;
    },
    settle: (push, { status = 0 }) => push.onStatus(status),
    stop() {
      const unsent = waiting.slice(given);
      waiting = [];
      given = 0;
      for (const push of unsent) push.onStatus(0);
    },
  };
  async function keepFeeding(): Promise<void> {
    isFeeding = true;
    while (waiting.length > 0) await provider.feed(feed);
    isFeeding = false;
  }

  return {
    send(pushToken, deliveryId, onStatus) {
      waiting.push({ deliveryId, pushToken, message, environment: 'production', onStatus });
      if (!isFeeding) void keepFeeding();
      return true;
    },
    onRoom: () => undefined,
    close: () => pool.close(),
  };
}
