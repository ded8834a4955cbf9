import { createMessageId, toDeliveryId } from '@heliograph/core';
import { makeApp, makeDevice, useTestDatabase } from '@heliograph/testing';

import { claimDue } from './deliveries.ts';
import { listUserDeliveries } from './delivery-trace.ts';
import { hashPushToken } from './devices.ts';
import { findMessage, listDeliveries } from './messages.ts';
import { insertTokenMessage, type TokenMessage } from './token-messages.ts';

const database = useTestDatabase();

function toTokenMessage(
  appRefs: readonly number[],
  pushToken: string,
  changes: Partial<TokenMessage> = {},
): TokenMessage {
  return {
    id: createMessageId(Date.now()),
    appRefs,
    pushTokenHash: hashPushToken(pushToken),
    provider: 'apns',
    silent: false,
    priority: 'HIGH',
    body: '{}',
    expiresAt: new Date(Date.now() + 3_600_000),
    ...changes,
  };
}

async function expectNothingStored(messageId: string): Promise<void> {
  expect(await findMessage(database.db, messageId)).toBeUndefined();
  expect(await listDeliveries(database.db, messageId)).toEqual([]);
}

describe('storing a message to a push token', () => {
  test('owes it to the device that has the token, and names its user', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const phone = await makeDevice(db, app);
    await makeDevice(db, app, { userId: phone.userId });
    const message = toTokenMessage([app], phone.pushToken);

    const result = await insertTokenMessage(db, message);

    const id = toDeliveryId(message.id, 1);
    expect(result).toEqual({
      kind: 'stored',
      delivery: { id, messageId: message.id, provider: 'apns', state: 'pending' },
    });
    expect(await findMessage(db, message.id)).toMatchObject({ userId: phone.userId });
    expect(await listDeliveries(db, message.id)).toMatchObject([
      { id, deviceId: phone.id, appRef: app, state: 'pending' },
    ]);
    expect(
      await listUserDeliveries(db, { userId: phone.userId }, { appRef: undefined, limit: 9 }),
    ).toMatchObject([{ id, activationId: phone.activationId }]);
  });

  test('takes one of the devices that share the token, the one with an active activation', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const blocked = await makeDevice(db, app, { activationActive: false });
    const active = await makeDevice(db, app, { pushToken: blocked.pushToken });
    const message = toTokenMessage([app], blocked.pushToken);

    await insertTokenMessage(db, message);

    expect(await listDeliveries(db, message.id)).toMatchObject([{ deviceId: active.id }]);
  });

  test('finds the token in whichever of the apps has it, and can be sent to', async () => {
    const { db } = database;
    const [bare, app] = [await makeApp(db, []), await makeApp(db)];
    const { pushToken } = await makeDevice(db, bare);
    const phone = await makeDevice(db, app, { pushToken });
    const message = toTokenMessage([bare, app], pushToken);

    await insertTokenMessage(db, message);

    expect(await listDeliveries(db, message.id)).toMatchObject([
      { deviceId: phone.id, appRef: app },
    ]);
  });

  test('to a device of nobody is for nobody', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const phone = await makeDevice(db, app);
    await db.updateTable('devices').set({ userId: null }).where('id', '=', phone.id).execute();
    const message = toTokenMessage([app], phone.pushToken);

    await insertTokenMessage(db, message);

    expect(await findMessage(db, message.id)).toMatchObject({ userId: null });
  });

  test('that another app has stores nothing', async () => {
    const { db } = database;
    const [app, other] = [await makeApp(db), await makeApp(db)];
    const { pushToken } = await makeDevice(db, other);
    const message = toTokenMessage([app], pushToken);

    expect(await insertTokenMessage(db, message)).toEqual({ kind: 'unknown_token' });

    await expectNothingStored(message.id);
  });

  test('that can’t be sent to stores nothing, and says why', async () => {
    const { db } = database;
    const [app, bare] = [await makeApp(db), await makeApp(db, ['fcm'])];
    const dead = await makeDevice(db, app);
    await db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date() })
      .where('id', '=', dead.id)
      .execute();
    const android = await makeDevice(db, app, { provider: 'fcm' });
    const waiting = await makeDevice(db, bare);
    const messages = [
      toTokenMessage([app], dead.pushToken),
      toTokenMessage([app], android.pushToken),
      toTokenMessage([bare], waiting.pushToken),
    ];

    const kinds = [];
    for (const message of messages) kinds.push((await insertTokenMessage(db, message)).kind);

    expect(kinds).toEqual(['token_deactivated', 'other_platform', 'not_configured']);
    for (const { id } of messages) await expectNothingStored(id);
  });
});

describe('claiming a message to a push token', () => {
  test.each([[true], [false]])(
    'says whether the device has another token by now: %s',
    async (replaced) => {
      const { db } = database;
      const app = await makeApp(db);
      const phone = await makeDevice(db, app);
      const message = toTokenMessage([app], phone.pushToken);
      await insertTokenMessage(db, message);
      const pushToken = replaced ? 'another token' : phone.pushToken;
      await db
        .updateTable('devices')
        .set({ pushToken, pushTokenHash: hashPushToken(pushToken) })
        .where('id', '=', phone.id)
        .execute();

      const claimed = await claimDue(db, [toDeliveryId(message.id, 1)], 60_000);

      expect(claimed).toMatchObject([
        { userId: phone.userId, device: { userId: phone.userId, tokenReplaced: replaced } },
      ]);
    },
  );
});
