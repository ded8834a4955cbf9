import { randomUUID } from 'node:crypto';

import { claimDue, listDeliveries } from '@heliograph/db';
import { eventually } from '@heliograph/testing';

import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const apnsToken = () => randomUUID().replaceAll('-', '') + 'b0';

describe('leases', () => {
  test('of a dispatcher that died run out; the sweep finds what it owed', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    const messageId = await rig.post(app, phone.userId, {}, false);
    const ids = (await rig.deliveries(messageId)).map((d) => d.id);
    // Somebody claims it and is never heard of again.
    await claimDue(rig.db, ids, 300);

    rig.start({ sweepEveryMs: 100 });

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', leaseEpoch: 2 }]);
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
  });

  test('that would not outlast a send open none', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    rig.start({ leaseMs: 5_000 });

    const messageId = await rig.post(app, phone.userId);

    await eventually(async () =>
      expect(await listDeliveries(rig.db, messageId)).toMatchObject([
        { state: 'pending', leaseUntil: null, leaseEpoch: 1, attempts: 0 },
      ]),
    );
    expect(rig.sandbox.received({ token: phone.pushToken })).toEqual([]);
  });

  test('are renewed while a send takes long', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    rig.sandbox.script('apns', phone.pushToken, [{ kind: 'accept', delayMs: 5_000 }]);
    rig.start({ leaseMs: 16_000 });

    const messageId = await rig.post(app, phone.userId);
    const [early] = await eventually(async () => {
      const rows = await rig.deliveries(messageId);
      expect(rows).toMatchObject([{ leaseEpoch: 1 }]);
      return rows;
    });
    await eventually(async () => {
      const [late] = await rig.deliveries(messageId);
      expect(late?.leaseUntil?.getTime()).toBeGreaterThan(early?.leaseUntil?.getTime() ?? Infinity);
    });

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent', leaseEpoch: 1 }]);
  });
});

describe('two dispatchers', () => {
  test('share the work and send nothing twice', async () => {
    const app = await rig.makeSendingApp();
    const phones = await Promise.all(
      Array.from({ length: 40 }, () => rig.device(app, { pushToken: apnsToken() })),
    );
    rig.start({ sweepEveryMs: 50 });
    rig.start({ sweepEveryMs: 50 });

    const messages: string[] = [];
    for (let round = 0; round < 5; round += 1)
      messages.push(...(await Promise.all(phones.map((phone) => rig.post(app, phone.userId)))));

    for (const id of messages) await rig.finished(id);
    expect(phones.map((phone) => rig.sandbox.acceptedFor(phone.pushToken))).toEqual(
      phones.map(() => 5),
    );
  });
});

describe('a dispatcher that stops', () => {
  test('gives back what it has not sent, and records what it has', async () => {
    const app = await rig.makeSendingApp();
    const phone = await rig.device(app, { pushToken: apnsToken() });
    rig.sandbox.script('apns', phone.pushToken, [{ kind: 'accept', delayMs: 1_000 }]);
    const dispatcher = rig.start();
    const messageId = await rig.post(app, phone.userId);
    await eventually(() =>
      expect(rig.sandbox.received({ token: phone.pushToken })).toHaveLength(1),
    );

    await dispatcher.close();

    expect(await rig.deliveries(messageId)).toMatchObject([{ state: 'sent' }]);
    const later = await rig.post(app, phone.userId);
    expect(await rig.deliveries(later)).toMatchObject([{ state: 'pending', leaseEpoch: 0 }]);
  });
});
