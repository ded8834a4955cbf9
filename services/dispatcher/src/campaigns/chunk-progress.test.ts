import { AMBIGUOUS } from '@heliograph/db';

import { ChunkProgress } from './chunk-progress.ts';

const chunk = {
  runId: '019345a0-0000-7000-8000-000000000000',
  ordinal: 3,
  leaseEpoch: 2,
  appRef: 1,
  provider: 'apns',
  outcomes: Buffer.from([0, 0, 2, 0]),
  checkpoint: 7,
} as const;

const exception = {
  index: 1,
  deviceId: 11,
  userId: 'user',
  state: 'failed',
  reason: 'Unregistered',
  attempts: 1,
  ambiguousAttempts: 0,
  nextAttemptAt: null,
  providerMessageId: null,
  history: [],
} as const;

describe('the progress of a chunk', () => {
  test('counts what changed since the last checkpoint, and what is owed by what is not', () => {
    const progress = new ChunkProgress(chunk);

    progress.finish(0, 'sent', null);
    progress.finish(1, 'failed', 'Unregistered', exception);
    progress.finish(2, 'sent', null);
    progress.countAmbiguous();

    expect(progress.toCheckpoint()).toMatchObject({
      checkpoint: 7,
      outcomes: Buffer.from([1, 52, 1, 0]),
      changes: new Map([
        [1, 2],
        [2, -1],
        [52, 1],
        [AMBIGUOUS, 1],
      ]),
      exceptions: [exception],
      release: { kind: 'keep' },
    });
    expect([...progress.owed()]).toEqual([3]);
  });

  test('is written the same until it is known whether it was written; what came meanwhile goes with the next one', () => {
    const progress = new ChunkProgress(chunk);
    progress.finish(0, 'sent', null);
    const first = progress.toCheckpoint();

    progress.finish(3, 'sent', null);
    progress.release({ kind: 'due' });

    expect(progress.toCheckpoint()).toBe(first);
    expect(first.outcomes).toEqual(Buffer.from([1, 0, 2, 0]));
    expect(progress.settle(true)).toBe(false);
    expect(progress.toCheckpoint()).toMatchObject({
      checkpoint: 8,
      outcomes: Buffer.from([1, 0, 2, 1]),
      changes: new Map([[1, 1]]),
      release: { kind: 'due' },
    });
    expect(progress.settle(true)).toBe(true);
    expect(progress.isDirty).toBe(false);
  });

  test('is lost with the lease', () => {
    const progress = new ChunkProgress(chunk);
    progress.finish(0, 'sent', null);
    progress.toCheckpoint();

    expect(progress.settle(false)).toBe(true);
    expect(progress.isLost).toBe(true);
  });
});
