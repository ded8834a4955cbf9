import type { CredentialScope } from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { makeScope, useTestDatabase } from '@heliograph/testing';

import { createEvidence, type Answer } from './evidence.ts';
import { createPauses } from './pauses.ts';

const database = useTestDatabase();

const CLAIMED_AT = new Date('2026-11-23T06:00:00Z');

async function open() {
  const { db } = database;
  const log = createLogger('dispatcher', 'silent');
  const pauses = createPauses({ db, log, clockMs: () => performance.now() });
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const scope = await makeScope(db);
  return { evidence: createEvidence({ db, pauses, log, onError }), scope, errors };
}

function gone(scope: CredentialScope, n: number, invalidSince?: Date): Answer {
  const outcome = { kind: 'gone', reason: 'Unregistered', fault: 'dead' } as const;
  return {
    scope,
    outcome: invalidSince === undefined ? outcome : { ...outcome, invalidSince },
    status: 410,
    deviceId: scope.appRef * 1000 + n,
    pushToken: `${n}`,
    claimedAt: CLAIMED_AT,
  };
}

async function faultsOf({ appRef }: CredentialScope) {
  return database.db
    .selectFrom('tokenFaults')
    .select(['state', 'invalidSince'])
    .where('appRef', '=', appRef)
    .execute();
}

describe('the count of answers', () => {
  test('tells those apart that only said that the provider was in trouble', async () => {
    const { evidence, scope, errors } = await open();
    const unavailable = {
      kind: 'retry',
      reason: 'ServiceUnavailable',
      backoff: 'apns_trouble',
      bound: 'expiry',
    } as const;

    evidence.add({ ...gone(scope, 1), outcome: unavailable, status: 503 });
    evidence.add({ ...gone(scope, 2), outcome: unavailable, status: 503 });
    evidence.add({ ...gone(scope, 3), outcome: { kind: 'sent' }, status: 200 });
    await evidence.close();

    const counts = await database.db
      .selectFrom('answerCounts')
      .select(['answers', 'trouble'])
      .where('appRef', '=', scope.appRef)
      .execute();
    expect(counts).toEqual([{ answers: 3, trouble: 2 }]);
    expect(errors).toEqual([]);
  });
});

describe('evidence of dead tokens', () => {
  test('that comes all at once is held at once, and not forgotten when a good minute follows', async () => {
    const { evidence, scope, errors } = await open();
    for (let n = 0; n < 20; n += 1) evidence.add(gone(scope, n));
    await evidence.close();
    for (let n = 0; n < 500; n += 1)
      evidence.add({ ...gone(scope, n), outcome: { kind: 'sent' }, status: 200 });
    await evidence.close();

    const faults = await faultsOf(scope);
    expect(faults.map(({ state }) => state)).toEqual(Array(20).fill('held'));
    expect(errors).toEqual([]);
  });

  test.each([
    ['in a year', new Date(CLAIMED_AT.getTime() + 366 * 24 * 3_600_000), CLAIMED_AT],
    ['at the end of time', new Date(8.64e15), CLAIMED_AT],
    ['an hour ago', new Date('2026-11-23T05:00:00Z'), new Date('2026-11-23T05:00:00Z')],
  ])('that is dated %s never concerns a registration after we asked', async (_, said, kept) => {
    const { evidence, scope, errors } = await open();
    evidence.add(gone(scope, 1, said));
    await evidence.close();

    expect(await faultsOf(scope)).toEqual([{ state: 'noted', invalidSince: kept }]);
    expect(errors).toEqual([]);
  });
});
