import { randomUUID } from 'node:crypto';

import { insertMessages, TARGETED, type Db, type NewRun } from '@heliograph/db';
import { makeCampaign, makeRun, toMessage } from '@heliograph/testing';

import { REQUESTS } from '../../api/test/access/requests.ts';
import { makeUser } from '../../api/test/access/session.ts';
import { makeWorld, type Names } from '../../api/test/access/world.ts';
import type { ConsoleRig } from './console-rig.ts';

/** An app in which everything can be done that there is to do. */
export interface ActionWorld extends Names {
  /** One whose audience was counted, and that was not sent. */
  readonly countedCampaignId: number;
  /** Of `campaignId`. */
  readonly runs: Readonly<Record<'going' | 'paused' | 'canary', string>>;
  readonly disabledDeveloperKey: string;
  readonly disabledUser: string;
  /** Behind the first of the app's events. */
  readonly callbackCursor: string;
}

/** Nobody works on it: what it is made like, it stays. */
export async function makeActionWorld(rig: ConsoleRig): Promise<ActionWorld> {
  const { db } = rig.stack;
  const names = await makeWorld(db, randomUUID());
  const { appId, rowId } = names;
  await suspendCallback(db, names.callbackId);
  for (const route of [
    'get /push/failure/list',
    'post /admin/app/callback/resend',
    'get /admin/device/pruning/list',
    'get /admin/device/stale/list',
  ])
    await REQUESTS[route]?.prepare?.(db, names);
  const failedLater = toMessage(rowId, names.userId);
  await insertMessages(db, [failedLater]);

  await rig.ask('POST', '/admin/app/proxy', {
    appId,
    platform: 'android',
    url: 'https://127.0.0.1/push',
    basicUsername: 'user',
    basicPassword: 'password',
  });
  const disabledDeveloperKey = await makeDisabledDeveloperKey(rig, appId);
  const disabledUser = await makeUser(db);
  await rig.ask('POST', '/admin/user/disable', { name: disabledUser });

  const campaign = { appRef: rowId, campaignId: names.campaignId };
  return {
    ...names,
    countedCampaignId: await makeCountedCampaign(db, rowId, names.userId),
    runs: {
      going: await makeRun(db, campaign),
      paused: await stopRun(db, campaign, 'operator'),
      canary: await stopRun(db, campaign, 'canary', { canaryPercent: 10 }),
    },
    disabledDeveloperKey,
    disabledUser,
    callbackCursor: await findFirstCursor(rig, appId),
  };
}

async function suspendCallback(db: Db, id: number): Promise<void> {
  await db
    .updateTable('callbackEndpoints')
    .set({
      failures: 100,
      failingSince: new Date(),
      suspendedAt: new Date(),
      suspendedBecause: 'failing',
    })
    .where('id', '=', id)
    .execute();
}

async function makeDisabledDeveloperKey(rig: ConsoleRig, appId: string): Promise<string> {
  const made = await rig.ask('POST', '/admin/app/developer-key/create', {
    appId,
    name: 'disabled',
    carriers: ['example.com'],
  });
  const developerKey = String(made['developerKey']);
  await rig.ask('POST', '/admin/app/developer-key/disable', { developerKey });
  return developerKey;
}

type Campaign = Parameters<typeof makeRun>[1];

/** Stands still, until somebody says how it goes on. */
async function stopRun(
  db: Db,
  campaign: Campaign,
  reason: 'operator' | 'canary',
  changes: Partial<NewRun> = {},
): Promise<string> {
  const id = await makeRun(db, campaign, changes);
  await db
    .updateTable('campaignRuns')
    .set({ state: 'paused', reason })
    .where('id', '=', id)
    .execute();
  return id;
}

async function makeCountedCampaign(db: Db, appRef: number, userId: string): Promise<number> {
  const campaign = await makeCampaign(db, appRef, [userId]);
  const runId = await makeRun(db, campaign, { dryRun: true });
  await db
    .insertInto('campaignRunCounts')
    .values({ runId, provider: 'apns', code: TARGETED, shard: 0, count: 1 })
    .execute();
  await db
    .updateTable('campaignRuns')
    .set({ state: 'completed', users: 1, materialisedAt: new Date(), finishedAt: new Date() })
    .where('id', '=', runId)
    .execute();
  return campaign.campaignId;
}

async function findFirstCursor(rig: ConsoleRig, appId: string): Promise<string> {
  const { cursor } = await rig.ask('GET', `/push/callback/events?appId=${appId}&limit=1`);
  if (typeof cursor !== 'string') throw new Error('the app has no events');
  return cursor;
}
