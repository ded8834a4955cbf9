import { randomUUID } from 'node:crypto';

import { createMessageId, toOutcomeCode } from '@heliograph/core';
import {
  claimChunk,
  claimDue,
  countUsers,
  finishRun,
  freezePage,
  insertMessages,
  recordCheckpoints,
  recordUpdates,
  type FailureState,
} from '@heliograph/db';
import {
  findAppId,
  makeApp,
  makeDevice,
  toMessage,
  toSentUpdate,
  makeCampaign,
  makeRun,
} from '@heliograph/testing';

import { makeKey } from '../../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({ auth: 'on' });
});
afterAll(() => api.close());

interface Failing {
  readonly reason?: string;
  readonly state?: FailureState;
  readonly ambiguous?: boolean;
  readonly expiresAt?: Date;
}

/** Messages of an app to a device each, that came to this. Answers their ids. */
async function fail(appRef: number, failures: readonly Failing[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const {
    reason = 'PayloadTooLarge',
    state = 'failed',
    ambiguous = false,
    expiresAt,
  } of failures) {
    const { userId } = await makeDevice(api.db, appRef);
    const message = toMessage(appRef, userId, expiresAt === undefined ? {} : { expiresAt });
    const [delivery] = await insertMessages(api.db, [message]);
    const [claimed] = await claimDue(api.db, [delivery?.id ?? ''], 60_000);
    const sent = toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0);
    await recordUpdates(api.db, [{ ...sent, state, reason, ambiguous, providerMessageId: null }]);
    ids.push(message.id);
  }
  return ids;
}

async function makeFailing(failures: readonly Failing[]) {
  const appRef = await makeApp(api.db);
  const appId = await findAppId(api.db, appRef);
  const messageIds = await fail(appRef, failures);
  const { text } = await makeKey(api.db, { appRef });
  const headers = { authorization: `Bearer ${text}` };
  return {
    appRef,
    appId,
    messageIds,
    list: (query = '') => ask(api.call('GET', `/push/failure/list?${query}`, undefined, headers)),
    deliveries: (query: Readonly<Record<string, string>>) =>
      ask(
        api.call(
          'GET',
          `/push/failure/deliveries?${new URLSearchParams({ appId, platform: 'ios', lane: 'message', ...query })}`,
          undefined,
          headers,
        ),
      ),
    replay: (filter: object = {}, more: Readonly<Record<string, string>> = {}) =>
      ask(
        api.call(
          'POST',
          '/push/failure/replay',
          { requestObject: { appId, ...filter } },
          { ...headers, ...more },
        ),
      ),
  };
}

async function ask(answering: ReturnType<TestApi['call']>) {
  const { status, text, headers } = await answering;
  const body = JSON.parse(text) as { responseObject: Record<string, unknown> };
  return { status, headers, answer: body.responseObject };
}

async function statesOf(messageIds: readonly string[]) {
  const rows = await api.db
    .selectFrom('deliveries')
    .select(['messageId', 'state', 'reason'])
    .where('messageId', 'in', [...messageIds])
    .orderBy('id')
    .execute();
  return rows.map(({ state }) => state);
}

const NONE_LEFT = { ambiguous: 0, unreachable: 0, over: 0, cancelled: 0 };

describe('GET /push/failure/list', () => {
  test('shows by cause how many failed and when, those of most deliveries first', async () => {
    const { appId, list } = await makeFailing([
      {},
      {},
      { reason: 'TopicDisallowed' },
      { state: 'expired', reason: 'expired' },
      { state: 'expired', reason: 'expired' },
      { state: 'expired', reason: 'expired' },
    ]);

    const { answer } = await list();

    const cause = { appId, platform: 'ios', lane: 'message', replayed: 0 };
    const times = { firstAt: expect.any(String), lastAt: expect.any(String) };
    expect(answer['failureList']).toEqual([
      { ...cause, ...times, state: 'expired', reason: 'expired', count: 3, failed: 3 },
      { ...cause, ...times, state: 'failed', reason: 'PayloadTooLarge', count: 2, failed: 2 },
      { ...cause, ...times, state: 'failed', reason: 'TopicDisallowed', count: 1, failed: 1 },
    ]);
  });

  test('counts what had expired when it was accepted', async () => {
    const { appRef, list } = await makeFailing([]);
    const { userId } = await makeDevice(api.db, appRef);
    await insertMessages(api.db, [toMessage(appRef, userId, { expiresAt: new Date(0) })], {
      isHeard: false,
    });

    expect((await list()).answer['failureList']).toMatchObject([
      { state: 'expired', reason: 'expired', count: 1 },
    ]);
  });

  test('shows nothing of another period, and refuses one that ends before it begins', async () => {
    const { list } = await makeFailing([{}]);

    const past = await list('since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z');
    const wrong = await list('since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z');

    expect(past.answer['failureList']).toEqual([]);
    expect(wrong.status).toBe(400);
  });
});

describe('GET /push/failure/deliveries', () => {
  test('leads through those of one cause, the latest failure first, each once', async () => {
    const { messageIds, deliveries } = await makeFailing([{}, {}, {}, { reason: 'Other' }, {}]);

    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { answer } = await deliveries({
        reason: 'PayloadTooLarge',
        size: '2',
        ...(after === null ? {} : { after }),
      });
      seen.push(
        ...(answer['deliveries'] as { messageId: string }[]).map(({ messageId }) => messageId),
      );
      after = answer['next'] as string | null;
    } while (after !== null);

    const [a, b, c, , d] = messageIds;
    expect(seen).toEqual([d, c, b, a]);
  });

  test.each(['nonsense', Buffer.from('{"atMicros":"x"}').toString('base64url')])(
    'refuses the cursor %s',
    async (after) => {
      const { deliveries } = await makeFailing([]);

      expect((await deliveries({ reason: 'PayloadTooLarge', after })).status).toBe(400);
    },
  );
});

describe('POST /push/failure/replay', () => {
  test('counts first, then puts back what fits the filter, and nothing else', async () => {
    const { messageIds, replay, list } = await makeFailing([{}, { reason: 'Other' }, {}]);
    const filter = { reason: 'PayloadTooLarge', lane: 'message' };

    const counted = await replay({ ...filter, dryRun: true });
    const untouched = await statesOf(messageIds);
    const done = await replay(filter);

    const answer = { lanes: ['message'], replayed: 2, left: NONE_LEFT, more: false, next: null };
    expect([counted.answer, done.answer]).toEqual([
      { dryRun: true, ...answer },
      { dryRun: false, ...answer },
    ]);
    expect(untouched).toEqual(['failed', 'failed', 'failed']);
    expect(await statesOf(messageIds)).toEqual(['pending', 'failed', 'pending']);
    expect((await list()).answer['failureList']).toMatchObject([
      { reason: 'Other', count: 1 },
      { reason: 'PayloadTooLarge', count: 0, failed: 2, replayed: 2 },
    ]);
  });

  test('says why it leaves the others as they are', async () => {
    const over = new Date(Date.now() + 200);
    const { appRef, messageIds, replay } = await makeFailing([
      { ambiguous: true },
      {},
      { expiresAt: over },
    ]);
    await api.db
      .updateTable('messages')
      .set({ expiresAt: new Date(Date.now() - 1000) })
      .where('id', '=', messageIds[2] ?? '')
      .execute();
    const gone = await fail(appRef, [{}]);
    await api.db
      .deleteFrom('devices')
      .where('userId', '=', await userOf(gone[0] ?? ''))
      .execute();

    const careful = await replay({ dryRun: true });
    const bold = await replay({
      includeAmbiguous: true,
      validUntil: new Date(Date.now() + 60_000).toISOString(),
    });

    expect(careful.answer).toMatchObject({
      replayed: 1,
      left: { ambiguous: 1, unreachable: 1, over: 1, cancelled: 0 },
    });
    expect(bold.answer).toMatchObject({ replayed: 3, left: { ...NONE_LEFT, unreachable: 1 } });
  });

  test('touches one message only, however old it is', async () => {
    const { messageIds, replay } = await makeFailing([{}, {}]);
    const [first = '', second = ''] = messageIds;
    const old = new Date(Date.now() - 3 * 86_400_000);
    await api.db
      .updateTable('deliveries')
      .set({ finishedAt: old })
      .where('messageId', '=', first)
      .execute();
    await api.db.updateTable('failureCounts').set({ hour: old }).execute();

    const { answer } = await replay({ messageId: first });

    expect(answer).toMatchObject({ replayed: 1, lanes: ['message'] });
    expect(await statesOf([first, second])).toEqual(['pending', 'failed']);
  });

  test('answers a repeat with the same key as the first time, and puts nothing back twice', async () => {
    const { appRef, messageIds, replay } = await makeFailing([{}]);
    const key = { 'idempotency-key': randomUUID() };

    const first = await replay({}, key);
    await failAgain(messageIds[0] ?? '');
    await fail(appRef, [{}]);
    const repeat = await replay({}, key);
    const other = await replay({ reason: 'Other' }, key);

    expect(first.answer).toMatchObject({ replayed: 1 });
    expect(repeat.answer).toEqual(first.answer);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(await statesOf(messageIds)).toEqual(['failed']);
    expect(other.status).toBe(409);
  });

  test('with a key whose first request died takes what failed before that, and not what failed since', async () => {
    const { appRef, messageIds, replay } = await makeFailing([{}]);
    const key = { 'idempotency-key': randomUUID() };
    await replay({}, key);
    await failAgain(messageIds[0] ?? '');
    await api.db
      .updateTable('idempotencyKeys')
      .set({ answer: null })
      .where('key', '=', key['idempotency-key'])
      .execute();
    const later = await fail(appRef, [{}]);

    const { answer } = await replay({}, key);

    expect(answer).toMatchObject({ replayed: 0 });
    expect(await statesOf([...messageIds, ...later])).toEqual(['failed', 'failed']);
  });

  test('goes on where the answer before ended, and never to what failed after it began', async () => {
    const { appRef, messageIds, replay } = await makeFailing([{}]);
    const untilMs = Date.now() + 1;
    const position = {
      untilMs,
      message: { cause: 'apns', at: { atMicros: 0, id: createMessageId(0) } },
    };
    const after = Buffer.from(JSON.stringify(position)).toString('base64url');
    await api.db
      .updateTable('deliveries')
      .set({ finishedAt: new Date(untilMs - 1000) })
      .where('messageId', 'in', [...messageIds])
      .execute();
    const later = await fail(appRef, [{}]);
    await api.db
      .updateTable('deliveries')
      .set({ finishedAt: new Date(untilMs + 1000) })
      .where('messageId', 'in', [...later])
      .execute();

    const { answer } = await replay({ until: new Date(untilMs + 60_000).toISOString(), after });

    expect(answer).toMatchObject({ replayed: 1, more: false });
    expect(await statesOf([...messageIds, ...later])).toEqual(['pending', 'failed']);
  });

  test.each([
    ['send', 'message', 200],
    ['send', 'campaign', 403],
    ['campaigns:send', 'campaign', 200],
    ['campaigns:send', 'message', 403],
  ] as const)('with the scope %s in the lane %s answers %d', async (scope, lane, status) => {
    const { appRef, appId } = await makeFailing([]);
    const { text } = await makeKey(api.db, { appRef, scopes: [scope] });
    const headers = { authorization: `Bearer ${text}` };

    const answer = await api.call(
      'POST',
      '/push/failure/replay',
      { requestObject: { appId, lane } },
      headers,
    );

    expect(answer.status).toBe(status);
  });

  test('is written in the audit log, with what it came to', async () => {
    const { appRef, replay } = await makeFailing([{}]);

    await replay({ reason: 'PayloadTooLarge', includeAmbiguous: true });

    const entries = await api.db
      .selectFrom('auditLog')
      .select(['action', 'objects', 'outcome'])
      .where('appRef', '=', appRef)
      .execute();
    expect(entries).toEqual([
      {
        action: 'push.failure.replay',
        outcome: 'ok',
        objects: expect.objectContaining({
          reason: 'PayloadTooLarge',
          includeAmbiguous: 'true',
          replayed: 1,
        }),
      },
    ]);
  });

  test.each([
    [{ messageId: randomUUID(), runId: randomUUID() }],
    [{ messageId: randomUUID(), lane: 'campaign' }],
    [{ validUntil: '2020-01-01T00:00:00Z' }],
    [{ after: 'nonsense' }],
  ])('refuses %j', async (filter) => {
    const { replay } = await makeFailing([]);

    expect((await replay(filter)).status).toBe(400);
  });
});

async function userOf(messageId: string): Promise<string> {
  const { userId } = await api.db
    .selectFrom('messages')
    .select('userId')
    .where('id', '=', messageId)
    .executeTakeFirstOrThrow();
  return userId ?? '';
}

/** What was put back is sent, and fails anew. */
async function failAgain(messageId: string): Promise<void> {
  const ids = await api.db
    .selectFrom('deliveries')
    .select('id')
    .where('messageId', '=', messageId)
    .execute();
  const [claimed] = await claimDue(
    api.db,
    ids.map(({ id }) => id),
    60_000,
  );
  const sent = toSentUpdate(claimed?.id ?? '', claimed?.leaseEpoch ?? 0);
  await recordUpdates(api.db, [{ ...sent, state: 'failed', reason: 'PayloadTooLarge' }]);
}

/** A run of an app to so many devices, all of which failed for these reasons. */
async function failRun(appRef: number, reasons: readonly string[]): Promise<string> {
  const users: string[] = [];
  while (users.length < reasons.length) users.push((await makeDevice(api.db, appRef)).userId);
  const runId = await makeRun(api.db, await makeCampaign(api.db, appRef, users));
  while (await freezePage(api.db, runId));
  await countUsers(api.db, runId);
  const chunk = await claimChunk(api.db, runId, 60_000);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  const codes = reasons.map((reason) => toOutcomeCode('failed', reason));
  await recordCheckpoints(
    api.db,
    [
      {
        runId,
        ordinal: chunk.ordinal,
        leaseEpoch: chunk.leaseEpoch,
        appRef: chunk.appRef,
        provider: chunk.provider,
        checkpoint: chunk.checkpoint,
        outcomes: Buffer.from(codes),
        changes: new Map(
          [...new Set(codes)].map((code) => [code, codes.filter((one) => one === code).length]),
        ),
        exceptions: reasons.map((reason, index) => ({
          index,
          deviceId: 1,
          userId: users[index] ?? null,
          state: 'failed',
          reason,
          attempts: 1,
          ambiguousAttempts: 0,
          nextAttemptAt: null,
          providerMessageId: null,
          history: [],
        })),
        release: { kind: 'done' },
      },
    ],
    0,
  );
  await finishRun(api.db, runId);
  return runId;
}

describe('of campaigns', () => {
  test('failures are counted, listed over all runs by the provider’s words, and replayed', async () => {
    const { appRef, list, deliveries, replay } = await makeFailing([]);
    const first = await failRun(appRef, ['PayloadTooLarge', 'BadTopic', 'PayloadTooLarge']);
    const second = await failRun(appRef, ['BadTopic', 'MissingTopic']);

    const counted = await list('lane=campaign');
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { answer } = await deliveries({
        lane: 'campaign',
        reason: 'BadTopic',
        size: '1',
        ...(after === null ? {} : { after }),
      });
      seen.push(...(answer['deliveries'] as { runId: string }[]).map(({ runId }) => runId));
      after = answer['next'] as string | null;
    } while (after !== null);
    const dry = await replay({ lane: 'campaign', dryRun: true });
    const one = await replay({ runId: first, reason: 'PayloadTooLarge' });
    const rest = await replay({ lane: 'campaign', reason: 'BadTopic' });

    expect(counted.answer['failureList']).toMatchObject([
      { lane: 'campaign', count: 2 },
      { lane: 'campaign', count: 2 },
      { lane: 'campaign', reason: 'MissingTopic', count: 1 },
    ]);
    expect(seen).toEqual([second, first]);
    expect(dry.answer).toMatchObject({ replayed: 5, more: false });
    expect([one.answer, rest.answer]).toMatchObject([
      { lanes: ['campaign'], replayed: 2, more: false, next: null },
      { replayed: 2, more: false, next: null },
    ]);
    expect((await list('lane=campaign')).answer['failureList']).toMatchObject([
      { reason: 'MissingTopic', count: 1 },
      { count: 0, replayed: 2 },
      { count: 0, replayed: 2 },
    ]);
  });

  test('what is being sent just now is left, and leads on from there', async () => {
    const { appRef, replay } = await makeFailing([]);
    const runId = await failRun(appRef, ['PayloadTooLarge']);
    await api.db
      .updateTable('campaignChunks')
      .set({ leased: true, dueAt: new Date(Date.now() + 60_000) })
      .where('runId', '=', runId)
      .execute();

    const busy = await replay({ runId });
    await api.db
      .updateTable('campaignChunks')
      .set({ leased: false, dueAt: null })
      .where('runId', '=', runId)
      .execute();
    const again = await replay({ runId, after: busy.answer['next'] });

    expect([busy.answer, again.answer]).toMatchObject([
      { replayed: 0, more: true, next: expect.any(String) },
      { replayed: 1, more: false, next: null },
    ]);
  });
});
