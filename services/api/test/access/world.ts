import { randomBytes, randomUUID } from 'node:crypto';

import { SCOPES, type Scope } from '@heliograph/core';
import {
  beginAudit,
  hashPushToken,
  insertApiKey,
  insertDeveloperKey,
  insertInboxMessage,
  insertMessages,
  noteTokenFaults,
  saveSender,
  type Db,
} from '@heliograph/db';
import {
  findAppId,
  makeApp,
  makeCallback,
  makeCampaign,
  makeDevice,
  makeRun,
  toMessage,
} from '@heliograph/testing';

/** The names of one thing of each kind, by which requests ask for them. */
export interface Names {
  readonly appId: string;
  readonly rowId: number;
  readonly userId: string;
  readonly activationId: string;
  readonly token: string;
  readonly deviceId: number;
  readonly messageId: string;
  readonly campaignId: number;
  readonly inboxId: string;
  readonly developerKey: string;
  readonly callbackId: number;
  readonly pauseId: number;
  readonly keyId: string;
  readonly brandId: string;
}

/** Names of what there is not. */
export function toNobody(): Names {
  return {
    appId: randomUUID(),
    rowId: 9_000_001,
    userId: randomUUID(),
    activationId: randomUUID(),
    token: randomUUID(),
    deviceId: 9_000_002,
    messageId: randomUUID(),
    campaignId: 9_000_003,
    inboxId: randomUUID(),
    developerKey: randomUUID(),
    callbackId: 9_000_004,
    pauseId: 9_000_005,
    keyId: randomBytes(8).toString('hex'),
    brandId: randomUUID(),
  };
}

/** An app that has one thing of each kind. Users may have devices of several apps. */
export async function makeWorld(db: Db, userId: string): Promise<Names> {
  const appRef = await makeApp(db);
  const appId = await findAppId(db, appRef);
  const device = await makeDevice(db, appRef, { userId });
  const message = toMessage(appRef, userId);
  await insertMessages(db, [message]);
  const campaign = await makeCampaign(db, appRef, [userId]);
  await makeRun(db, campaign);
  const inbox = await insertInboxMessage(db, {
    id: randomUUID(),
    userId,
    appRefs: [appRef],
    type: 'text',
    subject: 'subject',
    summary: 'summary',
    body: 'body',
  });
  const developerKey = randomUUID();
  const secret = { id: randomUUID(), sealedSecret: Buffer.from('sealed') };
  await insertDeveloperKey(db, { developerKey, appRef, name: 'key', carriers: ['c'] }, secret);
  const brandId = randomUUID();
  await saveSender(db, { appRef, brandId });
  await holdFault(db, appRef, device);
  await beginAudit(db, {
    keyId: null,
    actor: 'test',
    requestId: null,
    action: 'test',
    appRef,
    objects: {},
  });
  const key = await makeKey(db, { scopes: ['read'], appRef });
  return {
    appId,
    rowId: appRef,
    userId,
    activationId: device.activationId,
    token: device.pushToken,
    deviceId: device.id,
    messageId: message.id,
    campaignId: campaign.campaignId,
    inboxId: inbox.id,
    developerKey,
    callbackId: await makeCallback(db, appRef),
    pauseId: await pause(db, appRef),
    keyId: key.id,
    brandId,
  };
}

export interface KeyOptions {
  readonly scopes?: readonly Scope[];
  /** Null: every app. */
  readonly appRef?: number | null;
  readonly expiresAt?: Date;
  readonly ratePerSecond?: number;
}

/** A key that may do everything, unless told otherwise. */
export async function makeKey(
  db: Db,
  { scopes = SCOPES, appRef = null, expiresAt, ratePerSecond }: KeyOptions = {},
): Promise<{ readonly id: string; readonly text: string }> {
  return insertApiKey(db, {
    name: 'test',
    scopes,
    appRef,
    ratePerSecond: ratePerSecond ?? null,
    expiresAt: expiresAt ?? null,
  });
}

async function holdFault(
  db: Db,
  appRef: number,
  { id, pushToken }: { readonly id: number; readonly pushToken: string },
): Promise<void> {
  await noteTokenFaults(db, [
    {
      scope: { appRef, provider: 'apns', environment: 'production', credentialVersion: 1 },
      deviceId: id,
      pushTokenHash: hashPushToken(pushToken),
      reason: 'BadDeviceToken',
      kind: 'wrong_place',
      invalidSince: new Date(Date.now() + 60_000),
    },
  ]);
  await db.updateTable('tokenFaults').set({ state: 'held' }).where('deviceId', '=', id).execute();
}

async function pause(db: Db, appRef: number): Promise<number> {
  const { id } = await db
    .insertInto('pauses')
    .values({
      appRef,
      provider: 'apns',
      environment: 'production',
      credentialVersion: 1,
      scope: 'credential',
      reason: 'test',
      probeAt: null,
      liftedAt: null,
      probeDeliveryId: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
