import {
  insertResend,
  listCallbackCalls,
  type CallbackCall,
  type CallbackEndpoint,
} from '@heliograph/db';
import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

import { openCallbackRig, SECRET, type CallbackRig } from './callback-rig.ts';
import { openReceiver, type Receiver } from './receiver.ts';

const MINUTE_MS = 60_000;

let rig: CallbackRig;
let receiver: Receiver;
beforeEach(async () => {
  rig = await openCallbackRig();
  receiver = await openReceiver([SECRET]);
});
afterEach(async () => {
  await receiver.close();
  await rig.close();
});

const listCalls = (id: number) =>
  listCallbackCalls(rig.db, id, { before: undefined, limit: 1_000 });

/** Waits until there are so many calls, none of them waiting; answers them, the latest first. */
async function madeCalls(id: number, count: number): Promise<readonly CallbackCall[]> {
  let calls: readonly CallbackCall[] = [];
  await eventually(async () => {
    calls = await listCalls(id);
    expect(calls.filter(({ result }) => result !== null)).toHaveLength(count);
  });
  return calls;
}

/** A callback that was told so many events by one call, which it took. */
async function tellOnce(count: number) {
  const { id, appRef } = await rig.makeCallback(receiver.url);
  const ids = await rig.tell(appRef, count);
  rig.start();
  const [call] = await madeCalls(id, 1);
  if (call === undefined) throw new Error('there is no call');
  return { id, appRef, ids, call };
}

const resend = (id: number, call: CallbackCall, most = 10) =>
  rig.db.transaction().execute((tx) => insertResend(tx, id, call, most));

const refuse =
  (status: number, headers = {}): Parameters<Receiver['answer']>[0] =>
  (_, response) =>
    void response.writeHead(status, headers).end();

const idsOf = (n: number) => receiver.received[n]?.events.map((event) => event.id);
const positionOf = ({ positionXid, positionId }: CallbackEndpoint) => [positionXid, positionId];

describe('what was POSTed', () => {
  test('is kept call by call, with what came of it', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    receiver.answer(refuse(503));
    await rig.tell(appRef, 600);
    rig.start();
    await madeCalls(id, 1);
    receiver.answer((_, response) => void response.end());
    await rig.makeDue(id);

    const calls = await madeCalls(id, 3);

    // After a failure it is asked for less.
    expect(calls.map(({ events, result, taken }) => [events, result, taken])).toEqual([
      [350, '200', true],
      [250, '200', true],
      [500, '503', false],
    ]);
    expect(calls.every(({ latencyMs }) => latencyMs !== null && latencyMs >= 0)).toBe(true);
    expect(calls.every(({ resendOf }) => resendOf === null)).toBe(true);
  });

  test('is made again with the same events, and moves nothing', async () => {
    const { id, appRef, ids, call } = await tellOnce(3);
    const later = await rig.tell(appRef, 2);
    await madeCalls(id, 2);
    const before = await rig.endpoint(id);

    const waitingId = await resend(id, call);
    const [again] = await madeCalls(id, 3);

    expect(again).toMatchObject({ id: waitingId, resendOf: call.id, events: 3, taken: true });
    expect(idsOf(2)).toEqual(ids);
    expect(receiver.received[2]?.signedWith).toBe(SECRET);
    expect(receiver.received[2]?.body).toEqual(receiver.received[0]?.body);
    expect(positionOf(await rig.endpoint(id))).toEqual(positionOf(before));
    expect(idsOf(1)).toEqual(later);
  });

  test('is made again of the wanted types alone, as before', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url, { types: ['run'] });
    await rig.tell(appRef, 5);
    const [wanted] = await rig.tell(appRef, 1, 'run.started');
    await rig.tell(appRef, 5);
    rig.start();
    const [call] = await madeCalls(id, 1);
    if (call === undefined) throw new Error('there is no call');

    await resend(id, call);
    await madeCalls(id, 2);

    expect([idsOf(0), idsOf(1)]).toEqual([[wanted], [wanted]]);
  });

  test('is tried again at once where the receiver failed, and then what waits behind it', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const ids = await rig.tell(appRef, 2);
    receiver.answer(refuse(500));
    rig.start();
    const [call] = await madeCalls(id, 1);
    if (call === undefined) throw new Error('there is no call');
    receiver.answer((_, response) => void response.end());
    await rig.set(id, { nextAttemptAt: new Date(Date.now() + 15 * MINUTE_MS) });

    await resend(id, call);
    await madeCalls(id, 3);

    expect([idsOf(1), idsOf(2)]).toEqual([ids, ids]);
    expect(await rig.endpoint(id)).toMatchObject({ failures: 0, positionId: ids[1] });
  });

  test('is not repeated by itself when the receiver refuses it again; what comes later waits as after any failure', async () => {
    const { id, call } = await tellOnce(1);
    receiver.answer(refuse(500));

    await resend(id, call);
    const [again] = await madeCalls(id, 2);
    const endpoint = await rig.endpoint(id);
    await rig.makeDue(id);
    // Nothing is due: a second look finds nothing to tell.
    await rig.tell(endpoint.appRef, 1);
    await madeCalls(id, 3);

    expect(again).toMatchObject({ result: '500', taken: false, resendOf: call.id });
    expect(endpoint).toMatchObject({ failures: 1, lastResult: '500' });
    expect(endpoint.nextAttemptAt.getTime()).toBeGreaterThan(
      endpoint.lastAttemptAt?.getTime() ?? 0,
    );
    expect(receiver.received.map(({ events }) => events.length)).toEqual([1, 1, 1]);
    expect(idsOf(2)).not.toEqual(idsOf(1));
  });

  test('waits for whoever has the lease, and is made once by many dispatchers', async () => {
    const { id, call } = await tellOnce(2);
    for (let n = 0; n < 3; n += 1) rig.start();
    await rig.set(id, { leaseUntil: new Date(Date.now() + 30 * MINUTE_MS) });
    await resend(id, call);
    // Several looks of all of them.
    const other = await rig.makeCallback(receiver.url);
    await rig.tell(other.appRef, 1);
    await madeCalls(other.id, 1);
    expect((await listCalls(id))[0]).toMatchObject({ result: null });

    await rig.set(id, { leaseUntil: new Date(0) });
    await madeCalls(id, 2);

    expect(receiver.received.filter(({ events }) => events.length === 2)).toHaveLength(2);
  });

  test('is asked for once however many ask, and no more wait than may', async () => {
    const { id, call } = await tellOnce(1);
    await rig.set(id, { suspendedAt: new Date(), suspendedBecause: 'failing' });

    const asked = await Promise.all(Array.from({ length: 5 }, () => resend(id, call)));
    const other = { ...call, id: call.id + 1_000 };
    const refused = await resend(id, other, 1);

    expect(new Set(asked).size).toBe(1);
    expect(refused).toBeUndefined();
    expect((await listCalls(id)).filter(({ result }) => result === null)).toHaveLength(1);
  });

  test('is not made again without its events', async () => {
    const { id, call } = await tellOnce(2);
    const [first] = receiver.received[0]?.events ?? [];
    await rig.db
      .deleteFrom('callbackEvents')
      .where('id', '=', first?.id ?? '')
      .execute();

    await resend(id, call);
    const [again] = await madeCalls(id, 2);

    expect(again).toMatchObject({ result: 'events gone', taken: false });
    expect(receiver.received).toHaveLength(1);
  });

  test('is forgotten but for the latest hundred, and what waits', async () => {
    const { id, appRef, call } = await tellOnce(1);
    await sql`
      INSERT INTO callback_calls (endpoint_ref, events, after_xid, after_id, end_xid, end_id, result, taken)
      SELECT endpoint_ref, events, after_xid, after_id, end_xid, end_id, result, taken
      FROM callback_calls, generate_series(1, 150) WHERE id = ${call.id}`.execute(rig.db);
    const [last] = await rig.tell(appRef, 1);

    await eventually(() => expect(idsOf(1)).toEqual([last]));
    await eventually(async () => expect(await listCalls(id)).toHaveLength(100));

    expect((await listCalls(id)).some((one) => one.id === call.id)).toBe(false);
  });

  test('goes with its callback', async () => {
    const { id } = await tellOnce(1);

    await rig.db.deleteFrom('callbackEndpoints').where('id', '=', id).execute();

    expect(await listCalls(id)).toEqual([]);
  });
});

describe('a receiver that says when to come back', () => {
  test.each([
    ['in seconds', '120', 2 * MINUTE_MS, 2.2 * MINUTE_MS],
    [
      'by a date',
      new Date(Date.now() + 10 * MINUTE_MS).toUTCString(),
      8 * MINUTE_MS,
      11 * MINUTE_MS,
    ],
    ['in a day', '86400', 15 * MINUTE_MS, 16.5 * MINUTE_MS],
    ['as nobody understands', 'soon', 2_500, 5_000],
  ])(
    '%s gets nothing before, and waits no longer than a quarter of an hour',
    async (_, header, least, most) => {
      const { id, appRef } = await rig.makeCallback(receiver.url);
      receiver.answer(refuse(503, { 'retry-after': header }));
      await rig.tell(appRef, 1);

      rig.start();
      await madeCalls(id, 1);

      const { nextAttemptAt, lastAttemptAt } = await rig.endpoint(id);
      const waitMs = nextAttemptAt.getTime() - (lastAttemptAt?.getTime() ?? 0);
      expect(waitMs).toBeGreaterThanOrEqual(least);
      expect(waitMs).toBeLessThanOrEqual(most);
    },
  );
});
