import { randomUUID } from 'node:crypto';

import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

import { makeCampaign, makeDevices, runIn, startRun } from './campaign-rig.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

function limitTo(appRef: number, ratePerSecond: number) {
  return sql`
    UPDATE credentials SET settings = settings || jsonb_build_object('ratePerSecond', ${ratePerSecond}::float8),
      version = nextval('credential_versions')
    WHERE app_ref = ${appRef}`.execute(rig.db);
}

/** The most pushes that arrived within any second. */
function busiestSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(
    ...sorted.map((at) => sorted.filter((one) => one >= at && one < at + 1_000).length),
  );
}

describe.each(['apns', 'fcm'] as const)(
  'a credential for %s with a rate of its own',
  (provider) => {
    test('is not sent with any faster, by all dispatchers together, and messages pass the campaign', async () => {
      const dispatchers = [rig.start(), rig.start()];
      const app = await rig.makeSendingApp();
      await limitTo(app, 40);
      const phone = await rig.device(app, {
        provider,
        pushToken: `${randomUUID().replaceAll('-', '')}b0`,
      });
      const users = await makeDevices(rig.db, app, 200, { provider, name: provider });
      const runId = await startRun(rig.db, await makeCampaign(rig.db, app, users));
      await rig.sandbox.waitFor((push) => push.token !== phone.pushToken, { provider });

      const messageId = await rig.post(app, phone.userId);

      const [delivery] = await rig.finished(messageId);
      await runIn(rig.db, runId, 'completed', 30_000);
      const times = rig.sandbox.received({ provider }).map(({ at }) => at);
      expect(delivery).toMatchObject({ state: 'sent', attempts: 1 });
      // A quarter second's worth may be at hand besides; arrivals bunch a little.
      expect(busiestSecond(times)).toBeLessThanOrEqual(40 + 10 + 20);
      const [passing] = rig.sandbox.received({ token: phone.pushToken });
      expect(passing?.at).toBeLessThan(Math.max(...times) - 1_000);
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.close()));
      rig.sandbox.clear();
    }, 60_000);
  },
);

describe('a used-up quota', () => {
  test('holds everything of the project for as long as FCM asks', async () => {
    const dispatcher = rig.start();
    const app = await rig.makeSendingApp();
    const [first, second] = [
      await rig.device(app, { provider: 'fcm' }),
      await rig.device(app, { provider: 'fcm' }),
    ];
    rig.sandbox.script('fcm', first.pushToken, [
      { kind: 'refuse', reason: 'QUOTA_EXCEEDED', retryAfterSeconds: 3 },
    ]);
    const refusedId = await rig.post(app, first.userId);
    await eventually(async () =>
      expect(await rig.deliveries(refusedId)).toMatchObject([{ reason: 'QUOTA_EXCEEDED' }]),
    );
    const [refused] = rig.sandbox.received({ token: first.pushToken });

    const messageId = await rig.post(app, second.userId);

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    const [sent] = rig.sandbox.received({ token: second.pushToken });
    expect((sent?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThan(2_800);
    await dispatcher.close();
  }, 60_000);
});
