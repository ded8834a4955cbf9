import { toRunDeliveryId } from '@heliograph/core';
import {
  findFailedChunk,
  listFailureCauses,
  listReplayable,
  replayChunk,
  replayDeliveries,
  type FailedCause,
  type ReplayTerms,
} from '@heliograph/db';
import { eventually, makeCallback } from '@heliograph/testing';
import * as fc from 'fast-check';

import {
  expectBalanced,
  makeCampaign,
  makeDevices,
  readLedger,
  runIn,
  startRun,
} from './campaign-rig.ts';
import { openRig, type Rig } from './rig.ts';

jest.setTimeout(120_000);

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  rig.start({ sweepEveryMs: 200 });
  rig.start({ sweepEveryMs: 200 });
});
afterAll(() => rig.close());

const TOO_LARGE = { kind: 'refuse', reason: 'PayloadTooLarge' } as const;
const UNANSWERED = { kind: 'rst-stream', code: 'INTERNAL_ERROR' } as const;
const TERMS: ReplayTerms = { includeAmbiguous: false, validUntil: undefined };
const ANY_TIME = { since: new Date(0), until: new Date('2100-01-01T00:00:00Z') };

/** A message to one iPhone that is refused so often, and would be accepted then. */
async function failOnce(refusals = 1) {
  const app = await rig.makeSendingApp();
  const phone = await rig.device(app);
  rig.sandbox.script('apns', phone.pushToken, [
    { ...TOO_LARGE, times: refusals },
    { kind: 'accept' },
  ]);
  const messageId = await rig.post(app, phone.userId);
  await rig.finished(messageId);
  return { app, phone, messageId };
}

function causeOf(appRef: number, changes: Partial<FailedCause> = {}): FailedCause {
  return { appRef, provider: 'apns', state: 'failed', reason: 'PayloadTooLarge', ...changes };
}

async function replay(
  cause: FailedCause,
  terms: ReplayTerms = TERMS,
  { db }: Rig = rig,
): Promise<readonly string[]> {
  const found = await listReplayable(
    db,
    { cause, ...ANY_TIME, after: undefined, limit: 1000 },
    terms,
  );
  const good = found.filter(({ verdict }) => verdict === 'replayable');
  return replayDeliveries(db, good, terms.validUntil);
}

async function countsOf(appRef: number) {
  const found = await listFailureCauses(rig.db, { appRef, ...ANY_TIME, limit: 100 });
  return found.map(({ lane, state, reason, count, failed, replayed }) => ({
    lane,
    state,
    reason,
    count,
    failed,
    replayed,
  }));
}

describe('a delivery that failed and is replayed', () => {
  test('is sent, keeps its history, and is counted as a failure no more', async () => {
    const { app, phone, messageId } = await failOnce();
    const before = await countsOf(app);

    const replayed = await replay(causeOf(app));
    const [delivery] = await rig.finished(messageId);

    expect(replayed).toEqual([delivery?.id]);
    expect(delivery).toMatchObject({
      state: 'sent',
      attempts: 2,
      history: [{ outcome: 'fail', reason: 'PayloadTooLarge' }, { outcome: 'sent' }],
    });
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
    const cause = { lane: 'message', state: 'failed', reason: 'PayloadTooLarge', failed: 1 };
    expect(before).toEqual([{ ...cause, count: 1, replayed: 0 }]);
    expect(await countsOf(app)).toEqual([{ ...cause, count: 0, replayed: 1 }]);
  });

  test('fails anew as another failure, which may be replayed itself', async () => {
    const { app, phone, messageId } = await failOnce(2);

    await replay(causeOf(app));
    await rig.finished(messageId);
    const counts = await countsOf(app);
    await replay(causeOf(app));
    const [delivery] = await rig.finished(messageId);

    expect(counts).toMatchObject([{ count: 1, failed: 2, replayed: 1 }]);
    expect(delivery).toMatchObject({ state: 'sent', attempts: 3 });
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
  });

  test('is told of each time it is final, by events of their own in their order', async () => {
    // A dispatcher that starts after the callback was made knows of it.
    const own = await openRig();
    try {
      const app = await own.makeSendingApp();
      await makeCallback(own.db, app);
      own.start({ sweepEveryMs: 200 });
      const phone = await own.device(app);
      own.sandbox.script('apns', phone.pushToken, [TOO_LARGE, { kind: 'accept' }]);
      const messageId = await own.post(app, phone.userId);
      await own.finished(messageId);

      await replay(causeOf(app), TERMS, own);
      await own.finished(messageId);

      expect(await toldTypes(app, own)).toEqual(['delivery.failed', 'delivery.sent']);
    } finally {
      await own.close();
    }
  });

  test('is put back once by twenty who ask at once', async () => {
    const { app, phone, messageId } = await failOnce();

    const answers = await Promise.all(Array.from({ length: 20 }, () => replay(causeOf(app))));

    await rig.finished(messageId);
    expect(answers.flat()).toHaveLength(1);
    expect(rig.sandbox.acceptedFor(phone.pushToken)).toBe(1);
    expect(await countsOf(app)).toMatchObject([{ count: 0, failed: 1, replayed: 1 }]);
  });

  test('is left alone by who saw an earlier failure of it', async () => {
    const { app, messageId } = await failOnce(2);
    const query = { cause: causeOf(app), ...ANY_TIME, after: undefined, limit: 10 };
    const seen = await listReplayable(rig.db, query, TERMS);
    await replay(causeOf(app));
    await rig.finished(messageId);

    const late = await replayDeliveries(rig.db, seen, undefined);

    expect(seen).toHaveLength(1);
    expect(late).toEqual([]);
    expect(await rig.deliveries(messageId)).toMatchObject([{ state: 'failed' }]);
  });

  test('is not put back where its device is gone, or has no token that is alive', async () => {
    const gone = await failOnce();
    const dead = await failOnce();
    await rig.db.deleteFrom('devices').where('id', '=', gone.phone.id).execute();
    await rig.db
      .updateTable('devices')
      .set({ tokenDeactivatedAt: new Date() })
      .where('id', '=', dead.phone.id)
      .execute();

    const replayed = [await replay(causeOf(gone.app)), await replay(causeOf(dead.app))];

    expect(replayed).toEqual([[], []]);
    expect(await rig.deliveries(dead.messageId)).toMatchObject([{ state: 'failed' }]);
  });

  test('goes on when its message is over only with an expiry of its own, which is told to APNs', async () => {
    const { app, phone, messageId } = await failOnce();
    await rig.db
      .updateTable('messages')
      .set({ expiresAt: new Date(Date.now() - 60_000) })
      .where('id', '=', messageId)
      .execute();
    const validUntil = new Date(Date.now() + 3_600_000);

    const refused = await replay(causeOf(app));
    const replayed = await replay(causeOf(app), { ...TERMS, validUntil });

    expect(await rig.finished(messageId)).toMatchObject([{ state: 'sent' }]);
    expect([refused.length, replayed.length]).toEqual([0, 1]);
    const [push] = rig.sandbox.received({ token: phone.pushToken }).slice(-1);
    expect(Number(push?.headers['apns-expiration'])).toBe(Math.floor(validUntil.getTime() / 1000));
  });
});

/** What came of a push, as the sandbox does it; `unanswered` is accepted and never told. */
const anAnswer = fc.constantFrom('refuse', 'unanswered', 'accept');

describe('whatever the provider answered before', () => {
  test('a delivery that may have been shown is sent again only where that was asked for', async () => {
    const property = fc.asyncProperty(
      fc.array(anAnswer, { minLength: 1, maxLength: 3 }),
      fc.nat({ max: 3 }),
      fc.boolean(),
      async (answers, replays, includeAmbiguous) => {
        const app = await rig.makeSendingApp();
        const phone = await rig.device(app);
        rig.sandbox.script('apns', phone.pushToken, [
          ...answers.map((one) =>
            one === 'refuse'
              ? TOO_LARGE
              : one === 'accept'
                ? { kind: 'accept' as const }
                : UNANSWERED,
          ),
          { kind: 'accept' },
        ]);
        const messageId = await rig.post(app, phone.userId);
        const settle = () =>
          eventually(async () => {
            const [delivery] = await rig.deliveries(messageId);
            if (delivery?.state === 'pending') await rig.makeDue(messageId);
            expect(delivery?.state).not.toBe('pending');
            return delivery;
          });
        await settle();
        let put = 0;
        for (let n = 0; n <= replays; n += 1) {
          const [was] = await rig.deliveries(messageId);
          const terms = { ...TERMS, includeAmbiguous };
          const ids = [
            ...(await replay(causeOf(app), terms)),
            ...(await replay(causeOf(app, { reason: 'ambiguous' }), terms)),
          ];
          if (was?.state !== 'failed') expect(ids).toEqual([]);
          if ((was?.ambiguousAttempts ?? 0) > 0 && !includeAmbiguous) expect(ids).toEqual([]);
          put += ids.length;
          await settle();
        }

        const [last] = await rig.deliveries(messageId);
        const counts = await countsOf(app);
        expect(counts.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(put);
        expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(
          last?.state === 'failed' ? 1 : 0,
        );
        if ((last?.ambiguousAttempts ?? 0) === 0)
          expect(rig.sandbox.acceptedFor(phone.pushToken)).toBeLessThanOrEqual(1);
      },
    );
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  });
});

/** A run to so many iPhones, every one of which is refused the first time; answers when it is over. */
async function failRun(devices: number, refused = devices, { isHeard = false } = {}) {
  const app = await rig.makeSendingApp();
  if (isHeard) await makeCallback(rig.db, app);
  const users = await makeDevices(rig.db, app, devices, { provider: 'apns' });
  const campaign = await makeCampaign(rig.db, app, users);
  const rows = await rig.db
    .selectFrom('devices')
    .select('pushToken')
    .where('appRef', '=', app)
    .orderBy('id')
    .limit(refused)
    .execute();
  for (const { pushToken } of rows)
    rig.sandbox.script('apns', pushToken, [TOO_LARGE, { kind: 'accept' }]);
  const runId = await startRun(rig.db, campaign);
  await runIn(rig.db, runId, 'completed');
  return { app, campaign, runId };
}

async function replayRun(appRef: number, runId: string, terms: ReplayTerms = TERMS) {
  const failed = {
    ...ANY_TIME,
    appRef,
    runId,
    provider: undefined,
    state: undefined,
    reason: undefined,
  };
  let replayed = 0;
  for (let from = 0; ;) {
    const ordinal = await findFailedChunk(rig.db, runId, from, failed);
    if (ordinal === undefined) return replayed;
    const answer = await replayChunk(rig.db, { runId, ordinal }, failed, terms, false);
    expect(answer.busy).toBe(false);
    replayed += answer.verdicts.get('replayable') ?? 0;
    from = ordinal + 1;
  }
}

describe('a run that was completed', () => {
  test('goes on with what is replayed, and is completed again; no one gets it twice', async () => {
    const { app, runId } = await failRun(1_500, 700);
    const before = await expectBalanced(rig.db, runId);

    const replayed = await replayRun(app, runId);
    const run = await runIn(rig.db, runId, 'completed');

    expect(before).toMatchObject({ sent: 800, failed: 700 });
    expect(replayed).toBe(700);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({
      sent: 1_500,
      failed: 0,
      pending: 0,
    });
    expect(await countsOf(app)).toEqual([
      {
        lane: 'campaign',
        state: 'failed',
        reason: 'PayloadTooLarge',
        count: 0,
        failed: 700,
        replayed: 700,
      },
    ]);
    const ledger = await readLedger(rig.db, runId);
    const ids = new Set(ledger.map(({ place }) => toRunDeliveryId(runId, place)));
    const accepted = rig.sandbox
      .received({ accepted: true })
      .filter(({ headers }) => ids.has(headers['apns-id'] ?? ''));
    expect(accepted).toHaveLength(1_500);
    expect(new Set(accepted.map(({ headers }) => headers['apns-id'])).size).toBe(1_500);
    expect(run.state).toBe('completed');
  });

  test('has each failure put back once by ten who ask at once, and its sums hold at every moment', async () => {
    const { app, runId } = await failRun(300);

    const [replayed] = await Promise.all([
      Promise.all(
        Array.from({ length: 10 }, async () => {
          const failed = {
            ...ANY_TIME,
            appRef: app,
            runId,
            provider: undefined,
            state: undefined,
            reason: undefined,
          };
          const answer = await replayChunk(rig.db, { runId, ordinal: 0 }, failed, TERMS, false);
          return answer.verdicts.get('replayable') ?? 0;
        }),
      ),
      eventually(async () => {
        await expectBalancedNow(runId);
        expect(await countSent(runId)).toBe(300);
      }),
    ]);

    await runIn(rig.db, runId, 'completed');
    expect(replayed.reduce((sum, one) => sum + one, 0)).toBe(300);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 300, failed: 0 });
  });

  test('tells that it goes on and that it ended, each as an event of its own', async () => {
    const { app, runId } = await failRun(20, 20, { isHeard: true });

    await replayRun(app, runId);
    await runIn(rig.db, runId, 'completed');

    expect(await toldTypes(app)).toEqual([
      'run.started',
      'run.completed',
      'run.resumed',
      'run.completed',
    ]);
  });

  test('sends nothing again where it was cancelled', async () => {
    const { app, runId } = await failRun(20);
    await rig.db
      .updateTable('campaignRuns')
      .set({ state: 'cancelled' })
      .where('id', '=', runId)
      .execute();

    expect(await replayRun(app, runId)).toBe(0);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ failed: 20 });
  });

  test('takes an expiry of its own for what is replayed, and for nothing else', async () => {
    const { app, runId } = await failRun(20);
    await rig.db
      .updateTable('campaignChunks')
      .set({ expiresAt: new Date(Date.now() - 60_000) })
      .where('runId', '=', runId)
      .execute();
    const validUntil = new Date(Date.now() + 3_600_000);

    const without = await replayRun(app, runId);
    const replayed = await replayRun(app, runId, { ...TERMS, validUntil });
    await runIn(rig.db, runId, 'completed');

    expect([without, replayed]).toEqual([0, 20]);
    expect(await expectBalanced(rig.db, runId)).toMatchObject({ sent: 20, failed: 0 });
  });
});

/** What was told to the app's callback, in order. */
async function toldTypes(appRef: number, { db }: Rig = rig): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('callbackEvents')
    .select('type')
    .where('appRef', '=', appRef)
    .orderBy('id')
    .execute();
  return rows.map(({ type }) => type);
}

async function countSent(runId: string): Promise<number> {
  return (await readLedger(rig.db, runId)).filter(({ state }) => state === 'sent').length;
}

/** The bytes and the sums as one moment has them. */
async function expectBalancedNow(runId: string): Promise<void> {
  await rig.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute((tx) => expectBalanced(tx, runId));
}
