import { randomUUID } from 'node:crypto';

import { eventually, spawnService, startOwnPostgres, startOwnRedis } from '@heliograph/testing';
import { sql } from 'kysely';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import {
  makeDeveloperKey,
  makeReceiver,
  pushTo,
  type SignedAnswer,
  type TestKey,
} from '../../../test/signed-request.ts';

let api: TestApi;
let replica: TestApi;
let key: TestKey;
let userId: string;

beforeAll(async () => {
  api = await openTestApi();
  replica = await openTestApi({ beside: api });
  key = await makeDeveloperKey(api);
});
beforeEach(async () => {
  userId = await makeReceiver(api, key);
});
afterAll(async () => {
  await replica.close();
  await api.close();
});

const REPLAYED = {
  status: 401,
  body: { error: { status: 401, code: 40106, message: expect.any(String) } },
};

/** What is the same in every repeat of a request. */
function sameRequest() {
  return { nonce: randomUUID(), date: new Date().toUTCString() };
}

async function countMessages(of = api, user = userId): Promise<number[]> {
  const count = async (table: 'messages' | 'inboxMessages' | 'm800Requests') =>
    (await of.db.selectFrom(table).select('id').where('userId', '=', user).execute()).length;
  return [await count('messages'), await count('inboxMessages'), await count('m800Requests')];
}

function statusesOf(answers: readonly SignedAnswer[]): number[] {
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

function nonceKey(nonce: string): Promise<string> {
  return eventually(async () => {
    const [name] = await api.redisConnection.keys(`${api.redis.prefix}:nonce:*:${nonce}`);
    expect(name).toBeDefined();
    return name ?? '';
  });
}

describe('a nonce that comes again', () => {
  test('gets 401, here and at another replica, and is known by Redis alone', async () => {
    const request = sameRequest();

    const first = await pushTo(api, key, userId, request);
    const name = await nonceKey(request.nonce);
    await eventually(async () => expect(await api.redisConnection.get(name)).toBe('accepted'));
    await api.db.deleteFrom('developerNonces').where('nonce', '=', request.nonce).execute();
    const again = [
      await pushTo(api, key, userId, request),
      await pushTo(replica, key, userId, request),
    ];

    expect(first.status).toBe(200);
    expect(again).toMatchObject([REPLAYED, REPLAYED]);
    expect(await countMessages()).toEqual([1, 1, 1]);
  });

  test('gets 401 with another body, date and signature, too', async () => {
    const { nonce } = sameRequest();

    const answers = [
      await pushTo(api, key, userId, { nonce }),
      await pushTo(replica, key, userId, { nonce, body: { appMessage: { content: 'other' } } }),
    ];

    expect(answers).toMatchObject([{ status: 200 }, REPLAYED]);
  });

  test('gets 401 when Redis was flushed meanwhile', async () => {
    const request = sameRequest();

    const first = await pushTo(api, key, userId, request);
    await nonceKey(request.nonce);
    await api.redisConnection.flushdb();
    const again = await pushTo(replica, key, userId, request);

    expect(first.status).toBe(200);
    expect(again).toMatchObject(REPLAYED);
    expect(await countMessages()).toEqual([1, 1, 1]);
  });

  test('is kept in Redis for twice the window', async () => {
    const request = sameRequest();

    await pushTo(api, key, userId, request);

    const left = await api.redisConnection.pttl(await nonceKey(request.nonce));
    expect(left).toBeGreaterThan(550_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });

  test('in parallel, at two replicas, is accepted exactly once', async () => {
    const request = sameRequest();

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        pushTo(n % 2 === 0 ? api : replica, key, userId, request),
      ),
    );

    expect(statusesOf(answers)).toEqual([200, ...Array<number>(19).fill(401)]);
    expect(await countMessages()).toEqual([1, 1, 1]);
  });

  test("does no harm to another key's request", async () => {
    const request = sameRequest();
    const otherKey = await makeDeveloperKey(api);
    const otherUser = await makeReceiver(api, otherKey);

    const answers = [
      await pushTo(api, key, userId, request),
      await pushTo(api, otherKey, otherUser, request),
    ];

    expect(statusesOf(answers)).toEqual([200, 200]);
  });
});

describe('a nonce is not used up', () => {
  test('by a stranger with a wrong signature', async () => {
    const request = sameRequest();

    const stranger = await pushTo(api, key, userId, { ...request, signed: { secret: 'wrong' } });
    const found = await api.redisConnection.keys(`*:${request.nonce}`);
    const owner = await pushTo(api, key, userId, request);

    expect([stranger.status, owner.status]).toEqual([401, 200]);
    expect(found).toEqual([]);
  });

  test('by a request that was refused', async () => {
    const request = sameRequest();
    const body = { appMessage: {} };

    const answers = [
      await pushTo(api, key, userId, { ...request, body }),
      await pushTo(replica, key, 'nobody', request),
      await pushTo(replica, key, userId, request),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 404, 200]);
  });

  test('by a request whose transaction failed', async () => {
    const request = sameRequest();
    await sql`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
      CREATE TRIGGER fail BEFORE INSERT ON inbox_messages FOR EACH ROW EXECUTE FUNCTION fail()`.execute(
      api.db,
    );

    const failed = await pushTo(api, key, userId, request);
    await sql`DROP FUNCTION fail CASCADE`.execute(api.db);
    const counted = await countMessages();
    const again = await pushTo(replica, key, userId, request);

    expect(failed).toMatchObject({ status: 500, body: { error: { status: 500, code: 50000 } } });
    expect(counted).toEqual([0, 0, 0]);
    expect(again.status).toBe(200);
    expect(await countMessages()).toEqual([1, 1, 1]);
  });

  test('by an api that died before its commit: the identical request is served by another', async () => {
    const request = sameRequest();
    const { database, redis, key: secretsKey } = api.backing;
    const doomed = spawnService('api', {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      QUEUE_PREFIX: redis.prefix,
      SECRETS_KEY_FILE: '',
      SECRETS_KEY: secretsKey.toString('base64'),
    });
    await doomed.waitReady();

    await api.db.transaction().execute(async (tx) => {
      // It gets as far as the inbox, and waits there.
      await sql`INSERT INTO inbox_users VALUES (${userId}, 0)`.execute(tx);
      const answer = pushTo(doomed, key, userId, request).catch(() => 'no answer');
      await eventually(async () => {
        const { rows } = await sql`
          SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(api.db);
        expect(rows).toHaveLength(1);
      });
      doomed.kill('SIGKILL');
      expect(await answer).toBe('no answer');
    });
    const claimed = await api.redisConnection.get(await nonceKey(request.nonce));
    const again = await pushTo(replica, key, userId, request);

    expect(claimed).toBe('claimed');
    expect(again.status).toBe(200);
    expect(await countMessages()).toEqual([1, 1, 1]);
  });
});

describe('without Redis', () => {
  test('requests are taken, and replays refused, also in parallel', async () => {
    const server = await startOwnRedis();
    const lonely = await openTestApi({ redis: { url: server.url, prefix: 'lonely' } });
    const ownKey = await makeDeveloperKey(lonely);
    const user = await makeReceiver(lonely, ownKey);
    await pushTo(lonely, ownKey, user);
    await server.kill();
    const request = sameRequest();

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => pushTo(lonely, ownKey, user, request)),
    );
    const again = await pushTo(lonely, ownKey, user, request);
    const counted = await countMessages(lonely, user);
    await lonely.close();
    await server.stop();

    expect(statusesOf(answers)).toEqual([200, 401, 401, 401, 401]);
    expect(again).toMatchObject(REPLAYED);
    expect(counted).toEqual([2, 2, 2]);
  });
});

describe('without the database', () => {
  test('requests get 503 in the shape of the surface, and are taken as they are once it is back', async () => {
    const server = await startOwnPostgres({ durable: true });
    const cutOff = await openTestApi({ databaseServerUrl: server.url });
    const ownKey = await makeDeveloperKey(cutOff);
    const user = await makeReceiver(cutOff, ownKey);
    const request = sameRequest();
    await server.kill();

    const answer = await pushTo(cutOff, ownKey, user, request);
    await server.start();
    const again = await eventually(async () => {
      const { status } = await pushTo(cutOff, ownKey, user, request);
      expect(status).not.toBe(503);
      return status;
    });
    await cutOff.close();
    await server.stop();

    expect(answer).toMatchObject({
      status: 503,
      body: { error: { status: 503, code: 50300, message: expect.any(String) } },
    });
    expect(again).toBe(200);
  });
});
