import { createMessageId } from '@heliograph/core';
import { claimPush, hashPushToken, noteTokenFaults, useNonce } from '@heliograph/db';
import { MAX_WAITING_JOBS, type Lane } from '@heliograph/queue';
import { createLogger } from '@heliograph/runtime';
import { makeDevice, makeScope, oweMessage, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { createPauses } from '../guard/pauses.ts';
import { startSweep } from './sweep.ts';

const database = useTestDatabase();

function openSweep(room: number) {
  const announced: string[] = [];
  const lane: Lane = {
    announce: (ids) => Promise.resolve(announced.push(...ids) > 0),
    room: () => Promise.resolve(room),
    close: () => Promise.resolve(),
  };
  const log = createLogger('dispatcher', 'silent');
  const now = () => new Date();
  const { db } = database;
  const pauses = createPauses({ db, log, clockMs: () => 0 });
  return {
    announced,
    sweep: startSweep({ db, lane, pauses, log, now, everyMs: 3_600_000 }),
  };
}

describe('the sweep', () => {
  test.each([
    ['empty', MAX_WAITING_JOBS],
    ['busy, for as long as it likes', 1],
  ])('announces what is owed longest while the lane is %s', async (_, room) => {
    const { db } = database;
    const { ids } = await oweMessage(db);
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: new Date(0) })
      .where('id', 'in', ids)
      .execute();
    const { sweep, announced } = openSweep(room);

    await sweep.run();

    expect(announced).toEqual(expect.arrayContaining(ids));
    await sweep.close();
  });

  test('forgets nonces whose requests are too old to come again', async () => {
    const { db } = database;
    const use = { developerKeyRef: 1 };
    await useNonce(db, { ...use, nonce: 'old' });
    await db
      .updateTable('developerNonces')
      .set({ createdAt: new Date(0) })
      .execute();
    await useNonce(db, { ...use, nonce: 'new' });
    const { sweep } = openSweep(MAX_WAITING_JOBS);

    await sweep.run();

    const left = await db.selectFrom('developerNonces').select('nonce').execute();
    expect(left).toEqual([{ nonce: 'new' }]);
    await sweep.close();
  });

  test('stops a scope whose faults look like our mistake, though whoever noted them died before asking the guard', async () => {
    const { db } = database;
    const scope = await makeScope(db);
    const devices = await Promise.all(
      Array.from({ length: 51 }, () => makeDevice(db, scope.appRef)),
    );
    await noteTokenFaults(
      db,
      devices.map((device) => ({
        scope,
        deviceId: device.id,
        pushTokenHash: hashPushToken(device.pushToken),
        reason: 'BadDeviceToken',
        kind: 'wrong_place',
        invalidSince: new Date(),
      })),
    );
    await db
      .updateTable('tokenFaults')
      .set({ notedAt: new Date(Date.now() - 61_000) })
      .where('appRef', '=', scope.appRef)
      .execute();
    const { sweep } = openSweep(1);

    await sweep.run();

    const active = await db
      .selectFrom('pauses')
      .select('scope')
      .where('appRef', '=', scope.appRef)
      .execute();
    const deactivated = await db
      .selectFrom('devices')
      .select('id')
      .where('appRef', '=', scope.appRef)
      .where('tokenDeactivatedAt', 'is not', null)
      .execute();
    expect(active).toEqual([{ scope: 'guard' }]);
    expect(deactivated).toEqual([]);
    await sweep.close();
  });

  test('forgets the pushes of LivePerson whose repeats would be new ones', async () => {
    const { db } = database;
    const messageId = createMessageId(Date.now());
    const [old, recent] = [Buffer.from('old'), Buffer.from('recent')];
    await claimPush(db, { key: old, messageId, windowMs: -1 });
    await claimPush(db, { key: recent, messageId, windowMs: 60_000 });
    const { sweep } = openSweep(1);

    await sweep.run();

    const kept = await db.selectFrom('livepersonPushes').select('key').execute();
    expect(kept).toEqual([{ key: recent }]);
    await sweep.close();
  });

  test('keeps up with more of them than one statement deletes', async () => {
    const { db } = database;
    await sql`
      INSERT INTO liveperson_pushes (key, message_id, until)
      SELECT int4send(n), gen_random_uuid(), now() - interval '1 s' FROM generate_series(1, 60000) n`.execute(
      db,
    );
    const { sweep } = openSweep(1);

    await sweep.run();

    const late = db.selectFrom('livepersonPushes').select('key').where('until', '<', new Date());
    expect(await late.limit(1).execute()).toEqual([]);
    await sweep.close();
  });
});
