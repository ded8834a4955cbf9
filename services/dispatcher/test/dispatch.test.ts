import { randomUUID } from 'node:crypto';

import { eventually } from '@heliograph/testing';

import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  rig.start();
});
afterAll(() => rig.close());

const apnsToken = () => randomUUID().replaceAll('-', '') + 'b0';

describe('a message that is due', () => {
  test('arrives at APNs and FCM, with the ids that make a repeat recognisable', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const tablet = await rig.device(app, { userId: phone.userId, provider: 'fcm' });

    const messageId = await rig.post(app, phone.userId);

    const [ios, android] = await rig.finished(messageId);
    expect(ios).toMatchObject({
      state: 'sent',
      attempts: 1,
      providerMessageId: ios?.id,
      history: [{ outcome: 'sent', status: 200, environment: 'production' }],
    });
    expect(android).toMatchObject({ state: 'sent', attempts: 1 });
    expect(rig.sandbox.received({ token: phone.pushToken })).toMatchObject([
      { headers: { 'apns-id': ios?.id, 'apns-collapse-id': messageId } },
    ]);
    expect(rig.sandbox.received({ token: tablet.pushToken })).toHaveLength(1);
  });

  test('arrives at APNs by a certificate', async () => {
    const app = await rig.makeSendingApp();
    await rig.saveCertificate(app);
    const phone = await rig.device(app, { pushToken: apnsToken() });

    const messageId = await rig.post(app, phone.userId);

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', attempts: 1 }]);
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
  });

  test('is sent once though it is announced ten times', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const messageId = await rig.post(app, phone.userId, {}, false);
    const ids = (await rig.deliveries(messageId)).map((d) => d.id);

    await Promise.all(Array.from({ length: 10 }, () => rig.lane.announce(ids)));

    await rig.finished(messageId);
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
  });

  test('is not sent when its expiry has come meanwhile', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const expiresAt = new Date(Date.now() + 150);
    const messageId = await rig.post(app, phone.userId, { expiresAt }, false);
    const ids = (await rig.deliveries(messageId)).map((d) => d.id);

    await eventually(() => expect(Date.now()).toBeGreaterThan(expiresAt.getTime()));
    await rig.lane.announce(ids);

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'expired', attempts: 0 }]);
    expect(rig.sandbox.received({ token: phone.pushToken })).toEqual([]);
  });

  test('does not reach a device that belongs to another user by now', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const messageId = await rig.post(app, phone.userId, {}, false);
    await rig.db
      .updateTable('devices')
      .set({ userId: 'somebody else' })
      .where('id', '=', phone.id)
      .execute();

    await rig.lane.announce((await rig.deliveries(messageId)).map((d) => d.id));

    expect(await rig.finished(messageId)).toMatchObject([
      { state: 'skipped', reason: 'device_reassigned' },
    ]);
    expect(rig.sandbox.received({ token: phone.pushToken })).toEqual([]);
  });

  test('goes to the APNs host that the device names, where the credential allows it', async () => {
    const [both, production] = [
      await rig.makeSendingApp(),
      await rig.makeSendingApp({ environment: 'production' }),
    ];
    const allowed = await rig.device(both, { pushToken: apnsToken(), environment: 'development' });
    const refused = await rig.device(production, {
      pushToken: apnsToken(),
      environment: 'development',
    });

    const first = await rig.finished(await rig.post(both, allowed.userId));
    const second = await rig.finished(await rig.post(production, refused.userId));

    expect(first).toMatchObject([{ state: 'sent', history: [{ environment: 'development' }] }]);
    expect(rig.sandbox.received({ token: allowed.pushToken })).toMatchObject([
      { environment: 'development' },
    ]);
    expect(second).toMatchObject([{ state: 'skipped', reason: 'environment' }]);
  });
});

describe('a provider in trouble', () => {
  test('is tried again later; the wait is in the row, and the provider decides its least length', async () => {
    const app = await rig.makeSendingApp();
    const device = await rig.device(app, { provider: 'fcm' });
    rig.sandbox.script('fcm', device.pushToken, [
      { kind: 'refuse', reason: 'UNAVAILABLE', retryAfterSeconds: 120 },
    ]);

    const before = Date.now();
    const messageId = await rig.post(app, device.userId);

    const [delivery] = await eventually(async () => {
      const rows = await rig.deliveries(messageId);
      expect(rows).toMatchObject([{ attempts: 1 }]);
      return rows;
    });
    expect(delivery).toMatchObject({ state: 'pending', leaseUntil: null });
    const waitMs = (delivery?.nextAttemptAt?.getTime() ?? 0) - before;
    expect(waitMs).toBeGreaterThanOrEqual(120_000);
    expect(waitMs).toBeLessThan(140_000);
  });

  test('that is over when the retry is due gets the push with the same ids', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    rig.sandbox.script('apns', phone.pushToken, [
      { kind: 'refuse', reason: 'InternalServerError' },
    ]);
    const messageId = await rig.post(app, phone.userId);
    await eventually(async () =>
      expect(await rig.deliveries(messageId)).toMatchObject([
        { attempts: 1, reason: 'InternalServerError' },
      ]),
    );

    await rig.makeDue(messageId);

    expect(await rig.finished(messageId)).toMatchObject([
      { state: 'sent', attempts: 2, history: [{ status: 500 }, { status: 200 }] },
    ]);
    const [first, second] = rig.sandbox.received({ token: phone.pushToken });
    expect(second?.headers).toEqual(first?.headers);
  });
});

describe('a push that is never answered', () => {
  test('is counted as ambiguous, goes again twice, and then has failed', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    rig.sandbox.script('apns', phone.pushToken, [{ kind: 'fin', times: 'always' }]);
    const messageId = await rig.post(app, phone.userId);

    for (const attempts of [1, 2]) {
      await eventually(async () =>
        expect(await rig.deliveries(messageId)).toMatchObject([
          { state: 'pending', attempts, ambiguousAttempts: attempts },
        ]),
      );
      await rig.makeDue(messageId);
    }

    expect(await rig.finished(messageId)).toMatchObject([
      { state: 'failed', reason: 'ambiguous', ambiguousAttempts: 3 },
    ]);
  });
});

describe('a credential at fault', () => {
  test('pauses its app: messages wait unattempted, and go when the key is replaced', async () => {
    const app = await rig.makeSendingApp();
    const healthy = await rig.makeSendingApp();
    await rig.saveKey(app, 'apns', { key: Buffer.alloc(128) });
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const tablet = await rig.device(app, { userId: phone.userId, provider: 'fcm' });
    const other = await rig.device(healthy, { pushToken: apnsToken() });

    const messageId = await rig.post(app, phone.userId);
    const later = await rig.post(app, phone.userId);
    const neighbour = await rig.post(healthy, other.userId);

    await eventually(async () => {
      for (const id of [messageId, later])
        expect(await rig.deliveries(id)).toMatchObject([
          { state: 'pending', attempts: 0, pauseId: expect.any(Number), reason: 'unusable_key' },
          { state: 'sent' },
        ]);
    });
    expect(await rig.finished(neighbour)).toMatchObject([{ state: 'sent' }]);
    expect(rig.sandbox.received({ token: tablet.pushToken })).toHaveLength(2);

    await rig.saveKey(app, 'apns');
    const dispatcher = rig.start();
    await dispatcher.sweep.run();

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(await rig.finished(later)).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(2);
  });

  test('that the provider refuses is tried out by a single probe, and resumed when that is sent', async () => {
    const app = await rig.makeSendingApp();
    const phones = await Promise.all(
      Array.from({ length: 5 }, () => rig.device(app, { pushToken: apnsToken() })),
    );
    for (const phone of phones)
      rig.sandbox.script('apns', phone.pushToken, [{ kind: 'refuse', reason: 'BadTopic' }]);
    const messages = await Promise.all(phones.map((phone) => rig.post(app, phone.userId)));
    await eventually(async () => {
      for (const id of messages)
        expect(await rig.deliveries(id)).toMatchObject([{ reason: 'BadTopic', attempts: 0 }]);
    });
    rig.sandbox.clearScripts();

    await rig.db
      .updateTable('pauses')
      .set({ probeAt: new Date(0) })
      .where('appRef', '=', app)
      .execute();
    const dispatcher = rig.start();
    await dispatcher.sweep.run();
    await eventually(async () => {
      await dispatcher.sweep.run();
      for (const id of messages)
        expect(await rig.deliveries(id)).toMatchObject([{ state: 'sent' }]);
    });

    expect(
      await rig.db
        .selectFrom('pauses')
        .select('id')
        .where('appRef', '=', app)
        .where('liftedAt', 'is', null)
        .execute(),
    ).toEqual([]);
  });

  test('that was removed lets its messages wait for another', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const messageId = await rig.post(app, phone.userId, {}, false);
    await rig.db
      .deleteFrom('credentials')
      .where('appRef', '=', app)
      .where('provider', '=', 'apns')
      .execute();
    const ids = (await rig.deliveries(messageId)).map((d) => d.id);
    await rig.lane.announce(ids);
    await eventually(async () =>
      expect(await rig.deliveries(messageId)).toMatchObject([
        { reason: 'no_credential', state: 'pending' },
      ]),
    );

    await rig.saveKey(app, 'apns');
    await rig.start().sweep.run();

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', attempts: 1 }]);
  });
});

describe('dead tokens', () => {
  async function noted(appRef: number, count: number): Promise<void> {
    await eventually(async () => {
      const faults = await rig.db
        .selectFrom('tokenFaults')
        .select('id')
        .where('appRef', '=', appRef)
        .execute();
      expect(faults).toHaveLength(count);
    });
    await rig.db
      .updateTable('tokenFaults')
      .set({ notedAt: new Date(Date.now() - 61_000) })
      .where('appRef', '=', appRef)
      .execute();
  }

  const deactivated = async (appRef: number) =>
    (
      await rig.db
        .selectFrom('devices')
        .select('pushToken')
        .where('appRef', '=', appRef)
        .where('tokenDeactivatedAt', 'is not', null)
        .execute()
    ).map((row) => row.pushToken);

  test('fail their message and are deactivated a minute later', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const healthy = await rig.device(app, { userId: phone.userId, pushToken: apnsToken() });
    rig.sandbox.script('apns', phone.pushToken, [{ kind: 'refuse', reason: 'Unregistered' }]);

    const messageId = await rig.post(app, phone.userId);

    expect(await rig.finished(messageId)).toMatchObject([
      { state: 'failed', reason: 'Unregistered' },
      { state: 'sent' },
    ]);
    await noted(app, 1);
    await rig.start().sweep.run();
    expect(await deactivated(app)).toEqual([phone.pushToken]);
    const next = await rig.finished(await rig.post(app, healthy.userId));
    expect(next).toMatchObject([
      { state: 'skipped', reason: 'token_deactivated' },
      { state: 'sent' },
    ]);
  });

  test('that registered again after the provider gave them up survive', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken(), lastRegisteredAt: new Date() });
    rig.sandbox.script('apns', phone.pushToken, [
      { kind: 'refuse', reason: 'Unregistered', timestampAgeMs: 60_000 },
    ]);

    await rig.finished(await rig.post(app, phone.userId));
    await noted(app, 1);
    await rig.start().sweep.run();

    expect(await deactivated(app)).toEqual([]);
  });

  test('all at once are our own mistake: the guard holds them and pauses the app', async () => {
    const app = await rig.makeSendingApp();
    const { userId } = await rig.device(app, { pushToken: apnsToken() });
    for (let n = 1; n < 60; n += 1) await rig.device(app, { userId, pushToken: apnsToken() });
    rig.sandbox.script('apns', { apnsTopic: rig.sandbox.credentials.apns.bundle }, [
      { kind: 'refuse', reason: 'BadDeviceToken', times: 60 },
    ]);

    const messageId = await rig.post(app, userId);
    await eventually(async () => {
      const pauses = await rig.db
        .selectFrom('pauses')
        .select('scope')
        .where('appRef', '=', app)
        .execute();
      expect(pauses).toEqual([{ scope: 'guard' }]);
    });
    rig.sandbox.clearScripts();
    await rig.start().sweep.run();

    expect(await deactivated(app)).toEqual([]);
    const next = await rig.post(app, userId);
    await eventually(async () => {
      const rows = await rig.deliveries(next);
      expect(rows.every((row) => row.reason === 'too_many_invalid_tokens')).toBe(true);
    });
    expect((await rig.deliveries(messageId)).some((row) => row.reason === 'BadDeviceToken')).toBe(
      true,
    );
  });
});
