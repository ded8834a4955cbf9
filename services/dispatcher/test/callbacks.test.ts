import { once } from 'node:events';
import { createServer } from 'node:net';

import { eventually } from '@heliograph/testing';

import { openCallbackRig, SECRET, TEST_SETTINGS, type CallbackRig } from './callback-rig.ts';
import { openReceiver, type Receiver } from './receiver.ts';

let rig: CallbackRig;
let receiver: Receiver;

const closing: (() => Promise<unknown>)[] = [];

/** Longer than any test takes: what is kept waiting in them is never given up. */
const PATIENT = { deadlineMs: 90_000, leaseMs: 180_000 };

beforeEach(async () => {
  rig = await openCallbackRig();
  receiver = await open([SECRET]);
});

afterEach(async () => {
  // First, so that no request is waited for.
  for (const close of closing.splice(0)) await close();
  await rig.close();
});

async function open(secrets: readonly string[]): Promise<Receiver> {
  const opened = await openReceiver(secrets);
  closing.push(() => opened.close());
  return opened;
}

const refuse =
  (status: number): Parameters<Receiver['answer']>[0] =>
  (_, response) =>
    void response.writeHead(status).end();

const takenIds = () => receiver.taken().map(({ id }) => id);

const arrived = (ids: readonly string[]) =>
  eventually(() => expect(takenIds()).toEqual(expect.arrayContaining([...ids])));

const failed = (id: number, result: string) =>
  eventually(async () => expect(await rig.endpoint(id)).toMatchObject({ lastResult: result }));

describe('a receiver', () => {
  test('is told everything once, in order, in requests that it can verify', async () => {
    const { id, appRef } = await rig.makeCallback(`${receiver.url}/a%20b?c=d`, {
      callbackKey: 'key-of-the-app',
    });
    const ids = await rig.tell(appRef, 600);

    rig.start();
    await arrived(ids);

    expect(takenIds()).toEqual(ids);
    expect(receiver.received.map(({ events }) => events.length)).toEqual([500, 100]);
    expect(receiver.received.every(({ signedWith }) => signedWith === SECRET)).toBe(true);
    expect(receiver.received[0]).toMatchObject({
      path: '/a%20b?c=d',
      headers: { authorization: expect.stringContaining('key="key-of-the-app"') },
      events: expect.arrayContaining([
        { id: ids[0], type: 'delivery.sent', at: expect.any(String), data: { n: 0 } },
      ]),
    });
    await eventually(async () =>
      expect(await rig.endpoint(id)).toMatchObject({ positionId: ids.at(-1), failures: 0 }),
    );
  });

  test('is told what it missed when it is back, with the same ids, and what came since', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    receiver.answer(refuse(503));
    const missed = await rig.tell(appRef, 3);
    rig.start();
    await failed(id, '503');

    const since = await rig.tell(appRef, 2);
    receiver.answer((_, response) => void response.end());
    await rig.makeDue(id);
    await arrived([...missed, ...since]);

    expect(takenIds()).toEqual([...missed, ...since]);
    expect(receiver.received[0]?.events.map((event) => event.id)).toEqual(missed);
  });

  test('hears of the types only that it asked for', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url, { types: ['run'] });
    await rig.tell(appRef, 700);
    const wanted = await rig.tell(appRef, 1, 'run.started');
    const last = await rig.tell(appRef, 1);

    rig.start();
    await arrived(wanted);

    await eventually(async () =>
      expect(await rig.endpoint(id)).toMatchObject({ positionId: last[0] }),
    );
    expect(receiver.received.map(({ events }) => events.length)).toEqual([1]);
  });

  test.each([
    ['redirects', '302', refuse(302), {}],
    ['is not what it should be', '404', refuse(404), {}],
    ['hangs up', 'UND_ERR_SOCKET', (_: unknown, response) => response.destroy(), {}],
    ['says nothing', 'timeout', () => undefined, { deadlineMs: 500 }],
  ] satisfies [string, string, Parameters<Receiver['answer']>[0], object][])(
    'that %s has not taken anything',
    async (_, result, answer, timing) => {
      const { id, appRef } = await rig.makeCallback(receiver.url);
      receiver.answer(answer);
      const ids = await rig.tell(appRef, 1);

      rig.start(timing);
      await failed(id, result);

      expect((await rig.endpoint(id)).positionId).not.toBe(ids[0]);
      expect(await rig.endpoint(id)).toMatchObject({
        failures: 1,
        failingSince: expect.any(Date),
        lastSuccessAt: null,
      });
    },
  );

  test('that answers 200 and then a body without end has taken it', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const sent = { bytes: 0 };
    receiver.answer((_, response) => {
      const flood = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) sent.bytes += 16_384;
      };
      response.on('drain', flood);
      flood();
    });
    const ids = await rig.tell(appRef, 1);

    rig.start();

    await eventually(async () =>
      expect(await rig.endpoint(id)).toMatchObject({ positionId: ids[0], lastResult: '200' }),
    );
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
  });

  test('that speaks no HTTP has not taken anything', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('garbage'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const { id, appRef } = await rig.makeCallback(`https://127.0.0.1:${port}`);
    await rig.tell(appRef, 1);

    rig.start();

    await eventually(async () => expect(await rig.endpoint(id)).toMatchObject({ failures: 1 }));
  });

  test('at a private address is not called', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    await rig.tell(appRef, 1);

    rig.start({ settings: { ...TEST_SETTINGS, allowPrivateAddresses: false } });
    await failed(id, 'private_address');

    expect(receiver.connections).toBe(0);
  });

  test('whose certificate nobody vouches for is told nothing', async () => {
    const { ca: _, ...settings } = TEST_SETTINGS;
    const { id, appRef } = await rig.makeCallback(receiver.url);
    await rig.tell(appRef, 1);

    rig.start({ settings });
    await eventually(async () => expect(await rig.endpoint(id)).toMatchObject({ failures: 1 }));

    expect(receiver.received).toEqual([]);
  });

  test('that is gone is left alone until somebody resumes it', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    receiver.answer(refuse(410));
    await rig.tell(appRef, 1);

    rig.start();
    await failed(id, '410');

    expect(await rig.endpoint(id)).toMatchObject({ suspendedBecause: 'gone' });
  });

  test('that can’t take one event gets those before it', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const ids = await rig.tell(appRef, 6);
    const [poison] = ids.slice(3);
    receiver.answer(({ events }, response) => {
      response.writeHead(events.some((event) => event.id === poison) ? 500 : 200).end();
    });

    rig.start();

    await eventually(async () => {
      await rig.makeDue(id);
      expect(takenIds()).toEqual(ids.slice(0, 3));
    });
    receiver.answer((_, response) => void response.end());
    await rig.makeDue(id);
    await arrived(ids);
    expect(takenIds()).toEqual(ids);
  });

  test('is not told what it did not take for a day, and is told the rest', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const old = await rig.tell(appRef, 5);
    const aDayAgo = new Date(Date.now() - 25 * 3_600_000);
    await rig.db
      .updateTable('callbackEvents')
      .set({ createdAt: aDayAgo })
      .where('id', 'in', old)
      .execute();
    await rig.set(id, { triedFrom: aDayAgo });
    const young = await rig.tell(appRef, 2);

    rig.start();
    await arrived(young);

    expect(takenIds()).toEqual(young);
    expect(await rig.endpoint(id)).toMatchObject({ passedOver: 5 });
  });

  test('that was resumed from a cursor is told what is older than a day, too', async () => {
    const { appRef } = await rig.makeCallback(receiver.url);
    const old = await rig.tell(appRef, 5);
    await rig.db
      .updateTable('callbackEvents')
      .set({ createdAt: new Date(Date.now() - 25 * 3_600_000) })
      .where('id', 'in', old)
      .execute();

    rig.start();

    await arrived(old);
  });
});

describe('dispatchers', () => {
  test('have one request under way to an endpoint, and so many to a host', async () => {
    const settings = { ...TEST_SETTINGS, perHost: 3 };
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, n) => rig.makeCallback(`${receiver.url}/${n}`)),
    );
    const underWay = { now: 0, most: 0 };
    const held: (() => void)[] = [];
    receiver.answer((_, response) => {
      underWay.now += 1;
      underWay.most = Math.max(underWay.most, underWay.now);
      held.push(() => {
        underWay.now -= 1;
        response.end();
      });
    });
    const ids: string[] = [];
    for (const { appRef } of made) ids.push(...(await rig.tell(appRef, 4)));

    for (let n = 0; n < 3; n += 1) rig.start({ settings, ...PATIENT });
    // Each answer is kept back until the fleet can't have more under way.
    await eventually(async () => {
      const { leased } = await rig.db
        .selectFrom('callbackEndpoints')
        .select((row) => row.fn.countAll<number>().as('leased'))
        .where('leaseUntil', 'is not', null)
        .executeTakeFirstOrThrow();
      for (const answer of underWay.now === Math.min(3, leased) ? held.splice(0) : []) answer();
      expect(takenIds().toSorted()).toEqual(ids.toSorted());
    });

    expect(underWay.most).toBe(3);
    expect([...receiver.unanswered.values()].map(({ most }) => most)).toEqual(made.map(() => 1));
  });

  test('tell the others while many receivers hang', async () => {
    const settings = { ...TEST_SETTINGS, concurrency: 8, perHost: 100 };
    const silent = await open([SECRET]);
    silent.answer(() => undefined);
    for (let n = 0; n < 30; n += 1) {
      const { id, appRef } = await rig.makeCallback(`${silent.url}/${n}`);
      await rig.tell(appRef, 1);
      // As many that fail as are new.
      if (n % 2 === 0) await rig.set(id, { failures: 3, failingSince: new Date() });
    }
    const good = await rig.makeCallback(receiver.url);
    await rig.set(good.id, { lastSuccessAt: new Date(), lastLatencyMs: 5 });

    rig.start({ settings, ...PATIENT });
    // Failing ones have a quarter of the places, new ones half.
    await eventually(() => expect(silent.received).toHaveLength(6));
    const ids = await rig.tell(good.appRef, 3);
    await arrived(ids);

    expect(silent.received).toHaveLength(6);
  });

  test('that end wait for what is under way, and do not tell it again', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const held: (() => void)[] = [];
    receiver.answer((_, response) => void held.push(() => response.end()));
    const ids = await rig.tell(appRef, 3);
    const first = rig.start(PATIENT);
    await eventually(() => expect(held).toHaveLength(1));

    const closed = first.close();
    held[0]?.();
    await closed;

    expect(await rig.endpoint(id)).toMatchObject({ positionId: ids.at(-1) });
    const endpoint = await rig.db
      .selectFrom('callbackEndpoints')
      .select('leaseUntil')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(endpoint.leaseUntil).toBeNull();
  });

  test('take over from one that lost its lease, which then moves nothing', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    const held: (() => void)[] = [];
    receiver.answer((_, response) => void held.push(() => response.end()));
    const ids = await rig.tell(appRef, 2);
    rig.start(PATIENT);
    await eventually(() => expect(held).toHaveLength(1));
    // As if the first one slept through its lease.
    await rig.set(id, { leaseUntil: new Date(0) });

    rig.start(PATIENT);
    await eventually(() => expect(held).toHaveLength(2));
    const later = await rig.tell(appRef, 2);
    held[1]?.();
    await eventually(() => expect(held).toHaveLength(3));
    held[2]?.();
    await eventually(async () =>
      expect(await rig.endpoint(id)).toMatchObject({ positionId: later[1] }),
    );
    held[0]?.();
    await eventually(() => expect(takenIds()).toHaveLength(6));
    const last = await rig.tell(appRef, 1);
    await eventually(() => expect(held).toHaveLength(4));

    // Had the first one moved the position back, this would have more.
    expect(receiver.received[3]?.events.map((event) => event.id)).toEqual(last);
    expect(takenIds().filter((one) => ids.includes(one))).toHaveLength(4);
    held[3]?.();
  });
});

describe('a secret', () => {
  test('is used from its time on, and the one before it until then', async () => {
    const [newer, later] = ['the newer secret', 'the secret of tomorrow'];
    const other = await open([SECRET, newer, later]);
    const { id, appRef } = await rig.makeCallback(other.url);
    const signatures = () => other.received.map(({ signedWith }) => signedWith);
    rig.start();

    await rig.tell(appRef, 1);
    await eventually(() => expect(signatures()).toEqual([SECRET]));
    // Until then what there is goes on being told with the secret of the claim.
    await eventually(async () =>
      expect(
        await rig.db
          .selectFrom('callbackEndpoints')
          .select('leaseUntil')
          .where('id', '=', id)
          .execute(),
      ).toEqual([{ leaseUntil: null }]),
    );
    await rig.addSecret(id, newer, 0);
    await rig.addSecret(id, later, 3_600);
    await rig.tell(appRef, 1);
    await eventually(() => expect(signatures()).toEqual([SECRET, newer]));
  });

  test('of a developer key signs what is told of its messages', async () => {
    const developerSecret = 'the secret of a developer';
    const other = await open([SECRET, developerSecret]);
    const developerKey = await rig.makeDeveloperKey(developerSecret);
    await rig.makeCallback(other.url, { ...developerKey.owner, callbackKey: null });
    rig.start();

    await rig.tell(developerKey.owner.appRef, 1);
    const ids = await rig.tell(developerKey.owner.appRef, 1, 'delivery.sent', developerKey.owner);
    await eventually(() => expect(other.taken()).toHaveLength(1));

    expect(other.received).toMatchObject([
      {
        signedWith: developerSecret,
        headers: { authorization: expect.stringContaining(`key="${developerKey.name}"`) },
        events: [{ id: ids[0] }],
      },
    ]);
  });

  test('that can’t be opened keeps everything until it can', async () => {
    const { id, appRef } = await rig.makeCallback(receiver.url);
    await rig.tell(appRef, 1);
    await rig.db
      .updateTable('callbackSecrets')
      .set({ sealedSecret: Buffer.from('sealed with another key') })
      .where('endpointRef', '=', id)
      .execute();

    rig.start();
    await failed(id, 'secret unreadable');

    expect(receiver.connections).toBe(0);
    expect(await rig.endpoint(id)).toMatchObject({ failures: 1 });
  });
});
