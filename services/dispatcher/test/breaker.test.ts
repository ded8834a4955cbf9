import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { liftPause } from '@heliograph/db';
import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

import { makeCampaign, makeDevices, runIn, startRun } from './campaign-rig.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const toToken = (prefix: string) => prefix + randomUUID().replaceAll('-', '');
const DOWN = { kind: 'refuse', reason: 'ServiceUnavailable' } as const;

async function pausesOf(appRef: number) {
  return rig.db
    .selectFrom('pauses')
    .select(['id', 'scope', 'reason', 'environment'])
    .where('appRef', '=', appRef)
    .where('liftedAt', 'is', null)
    .execute();
}

/** An app with a device that APNs has trouble with, and messages to it until its breaker is open. Answers the messages. */
async function breakApp() {
  const app = await rig.makeSendingApp();
  const prefix = randomUUID().slice(0, 8);
  rig.sandbox.script(
    'apns',
    prefix,
    Array.from({ length: 2_000 }, () => DOWN),
  );
  const phone = await rig.device(app, { pushToken: toToken(prefix) });
  const messages: string[] = [];
  await eventually(
    async () => {
      messages.push(await rig.post(app, phone.userId));
      await sleep(100);
      expect(await pausesOf(app)).toHaveLength(1);
    },
    { timeoutMs: 40_000 },
  );
  return { app, phone, messages };
}

function probeNow(appRef: number) {
  return sql`UPDATE pauses SET probe_at = now() WHERE app_ref = ${appRef}`.execute(rig.db);
}

describe('a provider in trouble', () => {
  test('opens the breaker of its app alone; messages wait unattempted, and go when a probe gets through', async () => {
    const dispatcher = rig.start();
    const healthy = await rig.makeSendingApp();
    const other = await rig.device(healthy, { pushToken: toToken('00000000') });
    const { app, phone, messages } = await breakApp();

    const held = await rig.post(app, phone.userId);
    const sent = await rig.post(healthy, other.userId);
    await eventually(async () =>
      expect(await rig.deliveries(held)).toMatchObject([
        { state: 'pending', reason: 'provider_trouble', attempts: 0, pauseId: expect.any(Number) },
      ]),
    );
    expect(await rig.finished(sent)).toMatchObject([{ state: 'sent' }]);
    expect(await pausesOf(app)).toMatchObject([
      { scope: 'endpoint', reason: 'provider_trouble', environment: 'production' },
    ]);
    expect(await pausesOf(healthy)).toEqual([]);

    // The first probe meets the trouble again, and is not repeated by its own retries.
    const before = rig.sandbox.received({ token: phone.pushToken }).length;
    await probeNow(app);
    await dispatcher.sweep.run();
    await eventually(() =>
      expect(rig.sandbox.received({ token: phone.pushToken })).toHaveLength(before + 1),
    );
    await eventually(async () =>
      expect(await rig.deliveries(held)).toMatchObject([
        { attempts: 1, reason: 'ServiceUnavailable' },
      ]),
    );
    await rig.makeDue(held);
    await eventually(async () =>
      expect(await rig.deliveries(held)).toMatchObject([
        { attempts: 1, pauseId: expect.any(Number) },
      ]),
    );

    rig.sandbox.clearScripts();
    await probeNow(app);
    await eventually(async () => {
      await dispatcher.sweep.run();
      expect(await rig.deliveries(held)).toMatchObject([{ state: 'sent' }]);
    });
    expect(await pausesOf(app)).toEqual([]);
    for (const id of messages) await rig.makeDue(id);
    for (const id of messages) expect(await rig.finished(id)).toMatchObject([{ state: 'sent' }]);
    await dispatcher.close();
  }, 90_000);

  test('holds campaigns as well, and lets go when an operator resumes it', async () => {
    const dispatcher = rig.start();
    const { app } = await breakApp();
    const [pause] = await pausesOf(app);
    const users = await makeDevices(rig.db, app, 50, { provider: 'apns' });
    const runId = await startRun(rig.db, await makeCampaign(rig.db, app, users));
    await eventually(async () => {
      const chunks = rig.db.selectFrom('campaignChunks').select(['pauseId', 'leased']);
      expect(await chunks.where('runId', '=', runId).execute()).toEqual([
        { pauseId: pause?.id, leased: false },
      ]);
    });

    rig.sandbox.clearScripts();
    await liftPause(rig.db, pause?.id ?? 0);
    await dispatcher.sweep.run();

    const run = await runIn(rig.db, runId, 'completed');
    expect(run.finishedAt).toBeInstanceOf(Date);
    await dispatcher.close();
  }, 90_000);
});
