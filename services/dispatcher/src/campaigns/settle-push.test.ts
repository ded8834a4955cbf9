import { createRunId } from '@heliograph/core';
import type { ClaimedChunk, OwedDevice } from '@heliograph/db';
import { toMessage } from '@heliograph/testing';
import { pino } from 'pino';

import type { Breaker } from '../guard/breaker.ts';
import { ChunkProgress } from './chunk-progress.ts';
import { ChunkTodo } from './chunk-push.ts';
import { ChunkWaits } from './chunk-waits.ts';
import { PushSettler } from './settle-push.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const EXPIRES_AT = new Date('2026-01-02T00:00:00Z');
const UNREACHABLE = {
  kind: 'retry',
  reason: 'ECONNREFUSED',
  backoff: 'connection',
  bound: 'expiry',
} as const;

const chunk = {
  runId: createRunId(NOW.getTime()),
  ordinal: 0,
  leaseEpoch: 1,
  checkpoint: 0,
  provider: 'apns',
  appRef: 1,
  campaignId: 1,
  message: { title: 'Hi' },
  canary: false,
  outcomes: Buffer.alloc(3),
  expiresAt: EXPIRES_AT,
  traceParent: null,
  claimedAt: NOW,
  credential: { version: 1, route: 'direct', environment: null },
  pauses: null,
} satisfies ClaimedChunk;
const scope = {
  appRef: 1,
  provider: 'apns',
  environment: 'production',
  credentialVersion: 1,
} as const;

function toDevice(index: number): OwedDevice {
  return {
    index,
    deviceId: index,
    pushToken: `token-${index}`,
    userId: 'user',
    environment: null,
    tokenDeactivated: false,
    sameOwner: true,
    sameToken: true,
    attempts: 0,
    ambiguousAttempts: 0,
    history: null,
    replay: null,
  };
}

/** Three pushes, the first of which tries out the pause 7 where wanted. */
function createSettler({ hasProbe = false } = {}) {
  const todo = new ChunkTodo(chunk, { ...toMessage(1, 'user'), body: {} }, 'production');
  for (const index of [0, 1, 2]) todo.add(toDevice(index), hasProbe && index === 0 ? 7 : undefined);
  const waits = new ChunkWaits({ now: () => NOW, expiresAt: EXPIRES_AT });
  const noted: (number | undefined)[] = [];
  const breaker: Breaker = {
    note: (_scope, _attempt, probeOf) => void noted.push(probeOf),
    close: () => Promise.resolve(),
  };
  const progress = new ChunkProgress(chunk);
  const settler = new PushSettler(
    {
      chunk,
      route: 'direct',
      progress,
      waits,
      breaker,
      evidence: { add: () => undefined, addSent: () => undefined, close: () => Promise.resolve() },
      pacer: undefined,
      pauses: {
        open: () => Promise.reject(new Error('connection lost')),
        findOpenedHere: () => undefined,
        lift: () => Promise.resolve(),
      },
      log: pino({ level: 'silent' }),
      now: () => NOW,
      random: () => 0,
    },
    scope,
  );
  return { settler, progress, pushes: todo.drain(), noted, waits };
}

describe('a delivery that was replayed', () => {
  test.each([
    ['is given up after as many attempts as any other', null, 'failed'],
    [
      'has all its attempts again',
      { at: NOW.toISOString(), attempts: 6, ambiguousAttempts: 0 },
      'pending',
    ],
  ])('%s', async (_, replay, state) => {
    const { settler, progress, settled } = createReplayed(replay);

    settler.settle(settled, ANSWERED, TRIED_TOO_OFTEN);
    await settler.settled();

    expect(progress.toCheckpoint().exceptions).toMatchObject([{ state, attempts: 7 }]);
  });
});

const TRIED_TOO_OFTEN = {
  kind: 'retry',
  reason: 'TooManyRequests',
  backoff: 'ambiguous',
  bound: 'count',
} as const;
const ANSWERED = {
  outcome: TRIED_TOO_OFTEN,
  endpoint: 'host',
  startedAt: NOW,
  latencyMs: 1,
};

function createReplayed(replay: OwedDevice['replay']) {
  const todo = new ChunkTodo(chunk, { ...toMessage(1, 'user'), body: {} }, 'production');
  todo.add({ ...toDevice(0), attempts: 6, history: [], replay });
  const [settled] = todo.drain();
  if (settled === undefined) throw new Error('there is nothing to settle');
  return { settled, ...createSettler() };
}

describe('pushes that are put off, since nothing can be sent', () => {
  test('wait without an attempt, and are one event for the breaker', async () => {
    const { settler, pushes, noted, waits } = createSettler();

    settler.putOff(pushes, UNREACHABLE);
    await settler.settled();

    expect(noted).toEqual([undefined]);
    const dueAt = new Date(NOW.getTime() + 1_000);
    expect(waits.toRelease([0, 1, 2])).toEqual({ kind: 'later', dueAt, pauseId: null });
  });

  test('end the probe that is among them, which the pause holds again', async () => {
    const { settler, pushes, noted, waits } = createSettler({ hasProbe: true });

    settler.putOff(pushes, UNREACHABLE);
    await settler.settled();

    expect(noted).toEqual([7, undefined]);
    expect(waits.toRelease([0])).toEqual({ kind: 'later', dueAt: EXPIRES_AT, pauseId: 7 });
  });

  test('wait for a moment, all of them, where the pause that they need can not be opened', async () => {
    const { settler, pushes, waits } = createSettler();

    settler.putOff(pushes, { kind: 'pause', reason: 'invalid_grant', scope: 'credential' });
    await settler.settled();

    const dueAt = new Date(NOW.getTime() + 5_000);
    expect(waits.toRelease([0, 1, 2])).toEqual({ kind: 'later', dueAt, pauseId: null });
  });
});
