import type { Outcome } from '@heliograph/core';
import { noteAnswers, openPause, saveCredential, type CredentialScope } from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { eventually, makeScope, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { createBreaker } from './breaker.ts';
import { createPauses } from './pauses.ts';

const database = useTestDatabase();

const NO_CONNECTION: Outcome = {
  kind: 'retry',
  reason: 'ECONNREFUSED',
  backoff: 'connection',
  bound: 'expiry',
};
const UNAVAILABLE: Outcome = {
  kind: 'retry',
  reason: 'ServiceUnavailable',
  backoff: 'apns_trouble',
  bound: 'expiry',
};
const TIMEOUT: Outcome = { kind: 'ambiguous', reason: 'timeout' };
const SENT: Outcome = { kind: 'sent' };

const checks: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const check of checks.splice(0)) await check();
});

async function open() {
  const { db } = database;
  const log = createLogger('dispatcher', 'silent');
  const errors: unknown[] = [];
  let nowMs = 0;
  const clockMs = () => nowMs;
  const breaker = createBreaker({
    db,
    pauses: createPauses({ db, log, clockMs }),
    log,
    clockMs,
    onError: (error) => void errors.push(error),
  });
  checks.push(async () => {
    await breaker.close();
    expect(errors).toEqual([]);
  });
  const scope = await makeScope(db);
  const pass = (ms: number) => void (nowMs += ms);
  const note = (outcome: Outcome, latencyMs = 10, of = scope) =>
    breaker.note(of, { outcome, latencyMs });
  /** So many failures, each of an attempt that began after the one before, half a second apart. */
  const fail = (times: number, outcome = NO_CONNECTION, of = scope) => {
    for (let n = 0; n < times; n += 1) {
      pass(500);
      note(outcome, 10, of);
    }
  };
  /** What is written in the background is done then. */
  const pausesOf = async ({ appRef }: CredentialScope = scope) => {
    await breaker.close();
    return activePauses(appRef);
  };
  return { breaker, scope, pass, note, fail, pausesOf };
}

async function activePauses(appRef: number) {
  const { rows } = await sql`
    SELECT scope, reason, extract(epoch FROM probe_at - since)::float8 AS probed_in,
      extract(epoch FROM probe_limit)::float8 AS probe_limit
    FROM pauses WHERE app_ref = ${appRef} AND lifted_at IS NULL`.execute(database.db);
  return rows;
}

const OPEN = { scope: 'endpoint', reason: 'provider_trouble', probedIn: 30, probeLimit: 600 };

describe('a breaker opens', () => {
  test.each([
    ['without a connection', NO_CONNECTION],
    ['with answers of trouble', UNAVAILABLE],
    ['without answers', TIMEOUT],
    ['by a proxy', { ...UNAVAILABLE, backoff: 'proxy_trouble' } as const],
    ['by a proxy with patience', { ...UNAVAILABLE, backoff: 'proxy_trouble_long' } as const],
  ])('after twenty failures in a row %s, and is looked at after 30 s', async (_, outcome) => {
    const { fail, pausesOf } = await open();

    fail(20, outcome);

    expect(await pausesOf()).toEqual([OPEN]);
  });

  test('after a minute of attempts that hang, though they are few', async () => {
    const { pass, note, pausesOf } = await open();

    for (let n = 0; n < 6; n += 1) {
      pass(15_000);
      note(TIMEOUT, 14_990);
    }

    expect(await pausesOf()).toEqual([OPEN]);
  });

  test('once, however many failures follow, and only for its scope', async () => {
    const { scope, note, pass, pausesOf } = await open();
    const other = await makeScope(database.db);
    for (let n = 0; n < 100; n += 1) {
      pass(500);
      note(NO_CONNECTION);
      note(SENT, 10, other);
    }

    expect(await pausesOf(scope)).toEqual([OPEN]);
    expect(await activePauses(other.appRef)).toEqual([]);
  });

  test('anew where its pause was lifted and the trouble is not over', async () => {
    const { scope, fail, pausesOf } = await open();
    fail(20);
    await eventually(async () => expect(await activePauses(scope.appRef)).toHaveLength(1));
    await sql`UPDATE pauses SET lifted_at = now() WHERE app_ref = ${scope.appRef}`.execute(
      database.db,
    );

    // It counts anew once the first pause is written.
    await eventually(async () => {
      fail(21);
      expect(await activePauses(scope.appRef)).toHaveLength(1);
    });

    expect(await pausesOf()).toEqual([OPEN]);
  });
});

describe('a breaker stays closed', () => {
  test('when one lost connection fails all that was under way on it', async () => {
    const { pass, note, pausesOf } = await open();
    pass(1_000);

    // The answers to what was lost trickle in for ten seconds.
    for (let n = 0; n < 500; n += 1) {
      pass(20);
      note(TIMEOUT, n * 20 + 100);
    }

    expect(await pausesOf()).toEqual([]);
  });

  test('when a provider that restarts refuses thousands of connections in three seconds', async () => {
    const { pass, note, pausesOf } = await open();

    for (let n = 0; n < 3_000; n += 1) {
      pass(1);
      note(NO_CONNECTION, 0.5);
    }

    expect(await pausesOf()).toEqual([]);
  });

  test('when anything gets through in between', async () => {
    const { fail, note, pausesOf } = await open();

    for (let n = 0; n < 10; n += 1) {
      fail(19);
      note(SENT);
    }

    expect(await pausesOf()).toEqual([]);
  });

  test('when there is too little to judge by', async () => {
    const { pass, note, pausesOf } = await open();

    for (let n = 0; n < 4; n += 1) {
      pass(60_000);
      note(NO_CONNECTION);
    }
    for (let n = 0; n < 30; n += 1) {
      pass(900_000);
      note(NO_CONNECTION);
    }

    expect(await pausesOf()).toEqual([]);
  });

  test.each<[string, Outcome, number | undefined]>([
    ['a quota', { ...UNAVAILABLE, reason: 'QUOTA_EXCEEDED', backoff: 'fcm_quota' }, 429],
    ['a proxy with much to do', { ...UNAVAILABLE, backoff: 'proxy_throttled' }, 429],
    ['a refusal', { kind: 'fail', reason: 'PayloadTooLarge' }, 413],
    ['a dead token', { kind: 'gone', reason: 'Unregistered', fault: 'dead' }, 410],
  ])('when %s shows that the provider works', async (_, outcome, status) => {
    const { breaker, scope, fail, pausesOf } = await open();
    fail(19);

    breaker.note(scope, { outcome, status, latencyMs: 10 });
    fail(19);

    expect(await pausesOf()).toEqual([]);
  });

  test.each<[string, Outcome]>([
    ['our own refusal', { kind: 'gone', reason: 'BadDeviceToken', fault: 'wrong_place' }],
    ['a stopped process', { kind: 'ambiguous', reason: 'aborted' }],
    ['a bug of ours', { kind: 'ambiguous', reason: 'internal_error' }],
    ['another fault', { kind: 'pause', reason: 'BadTopic', scope: 'app' }],
  ])('by %s alone, which says nothing either way', async (_, outcome) => {
    const { fail, pausesOf } = await open();
    const other = await open();

    fail(100, outcome);
    other.fail(19);
    other.fail(5, outcome);
    other.fail(1);

    expect(await pausesOf()).toEqual([]);
    expect(await other.pausesOf()).toEqual([OPEN]);
  });

  test('when other dispatchers have answers: then it is our own network', async () => {
    const { scope, fail, pausesOf } = await open();
    const counts = { scope, answers: 3, wrongPlace: 0, dead: 0 };
    await noteAnswers(database.db, [{ ...counts, trouble: 2 }]);
    const inTrouble = await open();
    await noteAnswers(database.db, [{ ...counts, scope: inTrouble.scope, trouble: 3 }]);

    fail(20);
    inTrouble.fail(20);

    expect(await pausesOf()).toEqual([]);
    expect(await inTrouble.pausesOf()).toEqual([OPEN]);
  });

  test('when the credential was replaced meanwhile', async () => {
    const { scope, fail, pausesOf } = await open();
    await saveCredential(database.db, {
      appRef: scope.appRef,
      provider: 'apns',
      environment: null,
      settings: { bundle: 'b', keyId: 'k', teamId: 't' },
      sealedKey: Buffer.from('new'),
    });

    fail(20);

    expect(await pausesOf()).toEqual([]);
  });
});

describe('the probe of a breaker', () => {
  async function openWithProbe(kind: 'endpoint' | 'credential') {
    const { breaker, scope, pausesOf } = await open();
    const pauseId = (await openPause(database.db, scope, kind, 'provider_trouble')) ?? 0;
    const probeDeliveryId = '019345a0-0000-7000-8000-000000000001';
    const { db } = database;
    await db.updateTable('pauses').set({ probeDeliveryId }).where('id', '=', pauseId).execute();
    const probed = async () => {
      await breaker.close();
      const row = db.selectFrom('pauses').select(['liftedAt', 'probeDeliveryId']);
      return row.where('id', '=', pauseId).executeTakeFirstOrThrow();
    };
    return { breaker, scope, pauseId, probeDeliveryId, probed, pausesOf };
  }

  test('closes it by whatever answer', async () => {
    const { breaker, scope, pauseId, probed } = await openWithProbe('endpoint');
    const outcome = { kind: 'fail', reason: 'PayloadTooLarge' } as const;

    breaker.note(scope, { outcome, status: 413, latencyMs: 10 }, pauseId);

    expect(await probed()).toMatchObject({ liftedAt: expect.any(Date) });
  });

  test('does not lift the pause of a bad key by an answer that says nothing of it', async () => {
    const { breaker, scope, pauseId, probed } = await openWithProbe('credential');
    const outcome = { kind: 'fail', reason: 'PayloadTooLarge' } as const;

    breaker.note(scope, { outcome, status: 413, latencyMs: 10 }, pauseId);

    expect(await probed()).toMatchObject({ liftedAt: null });
  });

  test('is over when it meets the trouble again: its retry is held like all others', async () => {
    const { breaker, scope, pauseId, probed } = await openWithProbe('endpoint');

    breaker.note(scope, { outcome: NO_CONNECTION, latencyMs: 10 }, pauseId);

    expect(await probed()).toEqual({ liftedAt: null, probeDeliveryId: null });
  });
});
