import { toDeliveryId } from '@heliograph/core';
import { makeApp, makeDevice, useTestDatabase, toMessage } from '@heliograph/testing';
import { sql } from 'kysely';

import { countOutcomes, insertMessages, listDeliveries, listFinished } from './messages.ts';

const database = useTestDatabase();

describe('storing a message', () => {
  test('owes it to every device of its user in the app, and to nobody else', async () => {
    const { db } = database;
    const [app, otherApp] = [await makeApp(db), await makeApp(db)];
    const phone = await makeDevice(db, app);
    const tablet = await makeDevice(db, app, { userId: phone.userId, provider: 'fcm' });
    await makeDevice(db, otherApp, { userId: phone.userId });
    await makeDevice(db, app);
    const message = toMessage(app, phone.userId);

    const stored = await insertMessages(db, [message]);

    expect(stored).toHaveLength(2);
    expect(await listDeliveries(db, message.id)).toMatchObject([
      { id: toDeliveryId(message.id, 1), deviceId: phone.id, provider: 'apns', state: 'pending' },
      { id: toDeliveryId(message.id, 2), deviceId: tablet.id, provider: 'fcm', state: 'pending' },
    ]);
  });

  test('narrowed to an activation owes it to that device only, and to none of another user', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const phone = await makeDevice(db, app);
    const tablet = await makeDevice(db, app, { userId: phone.userId });
    const stranger = await makeDevice(db, app);
    const own = toMessage(app, phone.userId, { activationId: tablet.activationId });
    const strange = toMessage(app, phone.userId, { activationId: stranger.activationId });

    await insertMessages(db, [own, strange]);

    expect(await listDeliveries(db, own.id)).toMatchObject([{ deviceId: tablet.id }]);
    expect(await listDeliveries(db, strange.id)).toEqual([]);
  });

  test('goes once to a token that several activations of the user share, the active one first', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const blocked = await makeDevice(db, app, { activationActive: false });
    const active = await makeDevice(db, app, {
      userId: blocked.userId,
      pushToken: blocked.pushToken,
    });
    const message = toMessage(app, blocked.userId, { personal: true });

    await insertMessages(db, [message]);

    expect(await listDeliveries(db, message.id)).toMatchObject([
      { deviceId: active.id, state: 'pending' },
    ]);
  });

  test('knows at once what will never be sent, and why', async () => {
    const { db } = database;
    const app = await makeApp(db, ['apns']);
    const inactive = await makeDevice(db, app, { activationActive: false });
    const { userId } = inactive;
    const dead = await makeDevice(db, app, { userId });
    await db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date(), tokenDeactivatedReason: 'Unregistered' })
      .where('id', '=', dead.id)
      .execute();
    await makeDevice(db, app, { userId, provider: 'fcm' });
    const personal = toMessage(app, userId, { personal: true });
    const late = toMessage(app, userId, { expiresAt: new Date(Date.now() - 1000) });

    await insertMessages(db, [personal, late]);

    expect(await listDeliveries(db, personal.id)).toMatchObject([
      { state: 'skipped', reason: 'activation_inactive', nextAttemptAt: null },
      { state: 'skipped', reason: 'token_deactivated' },
      { state: 'skipped', reason: 'not_configured' },
    ]);
    expect(await listDeliveries(db, late.id)).toMatchObject([
      { state: 'expired', reason: 'expired', finishedAt: expect.any(Date) },
      { state: 'skipped', reason: 'token_deactivated' },
      { state: 'skipped', reason: 'not_configured' },
    ]);
  });

  test('to more devices than it has room for is refused, and nothing of it is stored', async () => {
    const { db } = database;
    const app = await makeApp(db);
    await sql`
      INSERT INTO devices (app_ref, activation_id, user_id, provider, push_token, push_token_hash, activation_active, last_registered_at)
      SELECT ${app}, ${app} || '-' || n, 'farm', 'fcm', n, sha256(n::text::bytea), true, now()
      FROM generate_series(1, 65536) n`.execute(db);
    const message = toMessage(app, 'farm');

    await expect(insertMessages(db, [message])).rejects.toThrow('at most 65535 devices');

    expect(await listDeliveries(db, message.id)).toEqual([]);
    await db.deleteFrom('devices').where('appRef', '=', app).where('pushToken', '=', '1').execute();
    expect(await insertMessages(db, [message])).toHaveLength(65_535);
  });

  test('stores all of a group or none', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const { userId } = await makeDevice(db, app);
    const good = toMessage(app, userId);
    const bad = toMessage(app, userId, { body: 'not JSON' });

    await expect(insertMessages(db, [good, bad])).rejects.toThrow();

    expect(await listDeliveries(db, good.id)).toEqual([]);
  });

  test('puts rows into the partition of their day', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const { userId } = await makeDevice(db, app);
    const message = toMessage(app, userId);

    await insertMessages(db, [message]);

    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const { rows } = await sql<{ name: string }>`
      SELECT tableoid::regclass::text AS name FROM deliveries WHERE message_id = ${message.id}`.execute(
      db,
    );
    expect(rows).toEqual([{ name: `deliveries_p${day}` }]);
  });
});

describe('counting outcomes', () => {
  test('sums by message, provider and state, and names the messages with nothing pending', async () => {
    const { db } = database;
    const app = await makeApp(db);
    const phone = await makeDevice(db, app);
    await makeDevice(db, app, { userId: phone.userId });
    const open = toMessage(app, phone.userId);
    const late = toMessage(app, phone.userId, { expiresAt: new Date(0) });
    const empty = toMessage(app, 'nobody');

    await insertMessages(db, [open, late, empty]);

    expect(await countOutcomes(db, [open.id, late.id, empty.id])).toEqual(
      expect.arrayContaining([
        { messageId: open.id, provider: 'apns', state: 'pending', count: 2 },
        { messageId: late.id, provider: 'apns', state: 'expired', count: 2 },
      ]),
    );
    expect(await listFinished(db, [open.id, late.id, empty.id])).toEqual(
      expect.arrayContaining([late.id, empty.id]),
    );
    expect(await listFinished(db, [open.id])).toEqual([]);
  });
});
