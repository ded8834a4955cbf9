import { createHash, randomUUID } from 'node:crypto';

import { createMessageId, type Environment, type Provider } from '@heliograph/core';
import type { Db, StoredMessage } from '@heliograph/db';

export interface MadeDevice {
  readonly id: number;
  readonly userId: string;
  readonly activationId: string;
  readonly pushToken: string;
}

export interface DeviceOptions {
  readonly userId?: string;
  readonly provider?: Provider;
  readonly pushToken?: string;
  readonly environment?: Environment;
  readonly activationActive?: boolean;
  readonly lastRegisteredAt?: Date;
}

/** An app of its own, with credentials (of no use for sending) for the named providers. */
export async function makeApp(
  db: Db,
  providers: readonly Provider[] = ['apns', 'fcm'],
): Promise<number> {
  const { id } = await db
    .insertInto('apps')
    .values({ appId: randomUUID(), appName: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const provider of providers)
    await db
      .insertInto('credentials')
      .values({
        appRef: id,
        provider,
        environment: null,
        settings: JSON.stringify(
          provider === 'apns'
            ? { bundle: 'com.example', keyId: 'KEYID12345', teamId: 'TEAMID1234' }
            : { projectId: 'example' },
        ),
        sealedKey: Buffer.from('sealed'),
      })
      .execute();
  return id;
}

/** A device of its own user and activation, with a token of its own, unless told otherwise. */
export async function makeDevice(
  db: Db,
  appRef: number,
  options: DeviceOptions = {},
): Promise<MadeDevice> {
  const pushToken = options.pushToken ?? randomUUID().replaceAll('-', '');
  const made = {
    userId: options.userId ?? randomUUID(),
    activationId: randomUUID(),
    pushToken,
  };
  const { id } = await db
    .insertInto('devices')
    .values({
      ...made,
      appRef,
      provider: options.provider ?? 'apns',
      environment: options.environment ?? null,
      pushTokenHash: createHash('sha256').update(pushToken).digest(),
      activationActive: options.activationActive ?? true,
      tokenDeactivatedAt: null,
      tokenDeactivatedReason: null,
      lastRegisteredAt: options.lastRegisteredAt ?? new Date(Date.now() - 3_600_000),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, ...made };
}

/** A message as the api would store it, to be passed to `insertMessages`. */
export function toMessage(
  appRef: number,
  userId: string,
  changes: Partial<StoredMessage> = {},
): StoredMessage {
  return {
    id: createMessageId(Date.now()),
    appRef,
    userId,
    activationId: undefined,
    silent: false,
    personal: false,
    priority: 'HIGH',
    body: '{"title":"Hello"}',
    awaited: false,
    expiresAt: new Date(Date.now() + 3_600_000),
    ...changes,
  };
}
