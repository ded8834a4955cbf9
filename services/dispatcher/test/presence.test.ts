import { randomUUID } from 'node:crypto';

import { listDispatchers, notePresence } from '@heliograph/db';
import { eventually } from '@heliograph/testing';

import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

describe('a dispatcher', () => {
  test('is seen as alive while it runs, and not any more once it has ended', async () => {
    const [first, second] = [rig.start(), rig.start()];

    const both = await eventually(async () => {
      const seen = await listDispatchers(rig.db, 10);
      expect(seen).toHaveLength(2);
      return seen;
    });
    await first.close();
    const one = await listDispatchers(rig.db, 10);
    await second.close();

    expect(both.map(({ alive }) => alive)).toEqual([true, true]);
    expect(both.map(({ host }) => host)).toEqual([one[0]?.host, one[0]?.host]);
    expect(one).toHaveLength(1);
    expect(await listDispatchers(rig.db, 10)).toEqual([]);
  });

  test('that died is seen for an hour as one that is not alive', async () => {
    const dead = { id: randomUUID(), host: 'h', version: '1.2.3' };
    await notePresence(rig.db, dead);
    const seenBefore = (minutes: number) =>
      rig.db
        .updateTable('dispatchers')
        .set({ seenAt: new Date(Date.now() - minutes * 60_000) })
        .where('id', '=', dead.id)
        .execute();
    await seenBefore(59);
    await notePresence(rig.db, { id: randomUUID(), host: 'other', version: undefined });

    const recently = await listDispatchers(rig.db, 10);
    await seenBefore(61);
    await notePresence(rig.db, { id: randomUUID(), host: 'other', version: undefined });

    expect(recently.find(({ id }) => id === dead.id)).toMatchObject({
      host: 'h',
      version: '1.2.3',
      alive: false,
    });
    expect((await listDispatchers(rig.db, 10)).map(({ id }) => id)).not.toContain(dead.id);
  });
});
