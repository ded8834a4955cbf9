import { createHash, randomUUID } from 'node:crypto';

import { createMessageId, createRunId, type Environment, type Provider } from '@heliograph/core';
import {
  addCampaignUsers,
  insertCallbackEndpoint,
  insertCallbackSecret,
  insertCampaign,
  insertMessages,
  insertRun,
  startDueRuns,
  type CredentialScope,
  type Db,
  type DeliveryUpdate,
  type NewCallbackEndpoint,
  type NewRun,
  type StoredMessage,
} from '@heliograph/db';

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

/** The appId of an app. */
export async function findAppId(db: Db, appRef: number): Promise<string> {
  const { appId } = await db
    .selectFrom('apps')
    .select('appId')
    .where('id', '=', appRef)
    .executeTakeFirstOrThrow();
  return appId;
}

/** An app of its own with an APNs credential, as the guard knows it. */
export async function makeScope(db: Db): Promise<CredentialScope> {
  const appRef = await makeApp(db, ['apns']);
  const { version } = await db
    .selectFrom('credentials')
    .select('version')
    .where('appRef', '=', appRef)
    .executeTakeFirstOrThrow();
  return { appRef, provider: 'apns', environment: 'production', credentialVersion: version };
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

/** A message that is owed to so many devices of an app of its own, and the ids of its deliveries in their order. */
export async function oweMessage(
  db: Db,
  devices = 1,
): Promise<{ appRef: number; messageId: string; ids: string[] }> {
  const appRef = await makeApp(db);
  const { userId } = await makeDevice(db, appRef);
  for (let n = 1; n < devices; n += 1) await makeDevice(db, appRef, { userId });
  const message = toMessage(appRef, userId);
  const stored = await insertMessages(db, [message]);
  return { appRef, messageId: message.id, ids: stored.map((d) => d.id).toSorted() };
}

/** What is recorded of a delivery that was sent by its first attempt, under this lease. */
export function toSentUpdate(id: string, leaseEpoch: number): DeliveryUpdate {
  return {
    id,
    leaseEpoch,
    state: 'sent',
    reason: null,
    nextAttemptAt: null,
    pauseId: null,
    attemptBurned: true,
    ambiguous: false,
    providerMessageId: 'p1',
    attempt: {
      at: '2026-11-23T06:00:00.000Z',
      outcome: 'sent',
      endpoint: 'host',
      environment: '',
      credentialVersion: 1,
      latencyMs: 1,
    },
  };
}

/** A campaign of the app for these users. */
export async function makeCampaign(
  db: Db,
  appRef: number,
  userIds: readonly string[],
): Promise<{ appRef: number; campaignId: number }> {
  const campaignId = await insertCampaign(db, { appRef, message: { title: 'Hello' } });
  await addCampaignUsers(db, campaignId, userIds);
  return { appRef, campaignId };
}

/** A run of the campaign whose time has come, unless told otherwise. */
export async function makeRun(
  db: Db,
  campaign: { readonly appRef: number; readonly campaignId: number },
  changes: Partial<NewRun> = {},
): Promise<string> {
  const run = {
    id: createRunId(Date.now()),
    ...campaign,
    message: { title: 'Hello' },
    validUntil: undefined,
    dryRun: false,
    startAt: undefined,
    ratePerSecond: undefined,
    canaryPercent: undefined,
    maxFailurePercent: undefined,
    ...changes,
  };
  await insertRun(db, run);
  await startDueRuns(db);
  return run.id;
}

/** A callback endpoint of the app, with a secret that nobody can open. */
export async function makeCallback(
  db: Db,
  appRef: number,
  changes: Partial<NewCallbackEndpoint> & { readonly sealedSecret?: Buffer } = {},
): Promise<number> {
  const { sealedSecret = Buffer.from('sealed'), ...endpoint } = changes;
  const id = await insertCallbackEndpoint(
    db,
    {
      appRef,
      developerKeyRef: 0,
      url: 'https://receiver.test/outcomes',
      target: randomUUID(),
      callbackKey: randomUUID(),
      types: null,
      ...endpoint,
    },
    100,
  );
  if (id === undefined) throw new Error('the app has too many callbacks');
  await insertCallbackSecret(db, id, 0, () => sealedSecret);
  return id;
}
