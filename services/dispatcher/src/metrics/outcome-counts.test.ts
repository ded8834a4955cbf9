import { readFileSync } from 'node:fs';

import { DEFERRED, SENT, toOutcomeCode, type Provider } from '@heliograph/core';
import { AMBIGUOUS, type ChunkException } from '@heliograph/db';
import { Metrics } from '@heliograph/runtime';
import { eventually, toSentUpdate } from '@heliograph/testing';

import { createOutcomeCounts, type OutcomeCountsDeps } from './outcome-counts.ts';
import { toReasonLabel } from './reasons.ts';

const NAMES = new Map([
  [1, 'one'],
  [2, 'two'],
]);

function open(changes: Partial<OutcomeCountsDeps> = {}) {
  const metrics = new Metrics();
  const errors: unknown[] = [];
  const outcomes = createOutcomeCounts({
    metrics,
    findAppIds: (refs) =>
      Promise.resolve(new Map([...NAMES].filter(([ref]) => refs.includes(ref)))),
    onError: (error) => void errors.push(error),
    ...changes,
  });
  const read = async () =>
    (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith('heliograph_outcomes_total{'))
      .map((line) => line.slice('heliograph_outcomes_total'.length));
  return { outcomes, read, errors };
}

const recording = (appRef: number, changes: object = {}, provider: Provider = 'apns') => ({
  update: { ...toSentUpdate('any', 1), ...changes },
  appRef,
  provider,
  awaitedMessageId: undefined,
});

const exception: ChunkException = {
  index: 0,
  deviceId: 1,
  userId: null,
  state: 'pending',
  reason: 'ServiceUnavailable',
  attempts: 1,
  ambiguousAttempts: 0,
  nextAttemptAt: new Date(),
  providerMessageId: null,
  history: [],
};

const line = (app: string, provider: string, outcome: string, reason: string, count: number) =>
  `{provider="${provider}",outcome="${outcome}",reason="${reason}",app="${app}"} ${count}`;

describe('outcomes of messages', () => {
  test('are counted by provider, app, state and reason', async () => {
    const { outcomes, read } = open();

    outcomes.addRecorded([
      recording(1),
      recording(1),
      recording(2, {}, 'fcm'),
      recording(1, { state: 'failed', reason: 'Unregistered' }),
      recording(1, { state: 'pending', reason: 'ECONNREFUSED' }),
    ]);

    await eventually(async () =>
      expect(await read()).toEqual([
        line('one', 'apns', 'sent', '', 2),
        line('one', 'apns', 'failed', 'Unregistered', 1),
        line('one', 'apns', 'pending', 'ECONNREFUSED', 1),
        line('two', 'fcm', 'sent', '', 1),
      ]),
    );
  });

  test('whose reason nobody knows share one', async () => {
    const { outcomes, read } = open();

    outcomes.addRecorded([
      recording(1, { state: 'failed', reason: 'made up' }),
      recording(1, { state: 'failed', reason: 'made up, too' }),
    ]);

    await eventually(async () =>
      expect(await read()).toEqual([line('one', 'apns', 'failed', 'other', 2)]),
    );
  });
});

describe('outcomes of a campaign', () => {
  test('are counted by what a checkpoint changed: what became final, and what is tried again', async () => {
    const { outcomes, read } = open();

    outcomes.addCheckpoint({
      appRef: 1,
      provider: 'fcm',
      changes: new Map([
        [SENT, 900],
        [toOutcomeCode('failed', 'UNREGISTERED'), 20],
        [DEFERRED, 1],
        [AMBIGUOUS, 3],
      ]),
      exceptions: [exception, { ...exception, index: 1, state: 'failed', reason: 'UNREGISTERED' }],
    });

    await eventually(async () =>
      expect(await read()).toEqual([
        line('one', 'fcm', 'sent', '', 900),
        line('one', 'fcm', 'failed', 'UNREGISTERED', 20),
        line('one', 'fcm', 'pending', 'ServiceUnavailable', 1),
      ]),
    );
  });
});

describe('the app of an outcome', () => {
  test('is “other” once there are too many sets of labels, and stays what it was for those that have one', async () => {
    const { outcomes, read } = open({ maxLabelSets: 1 });

    outcomes.addRecorded([recording(1)]);
    await eventually(async () => expect(await read()).toHaveLength(1));
    outcomes.addRecorded([recording(2), recording(1)]);

    await eventually(async () =>
      expect(await read()).toEqual([
        line('one', 'apns', 'sent', '', 2),
        line('other', 'apns', 'sent', '', 1),
      ]),
    );
  });

  test('is waited for: what was counted before it could be read is not lost', async () => {
    let isAway = true;
    const { outcomes, read, errors } = open({
      findAppIds: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(NAMES)),
    });

    outcomes.addRecorded([recording(1)]);
    await eventually(() => expect(errors).not.toEqual([]));
    expect(await read()).toEqual([]);
    isAway = false;

    await eventually(async () =>
      expect(await read()).toEqual([line('one', 'apns', 'sent', '', 1)]),
    );
  });

  test('is “other” where it was deleted', async () => {
    const { outcomes, read } = open();

    outcomes.addRecorded([recording(3)]);

    await eventually(async () =>
      expect(await read()).toEqual([line('other', 'apns', 'sent', '', 1)]),
    );
  });
});

describe('the catalogue of reasons', () => {
  test('has every reason of our own that docs/outcomes.md lists', () => {
    const text = readFileSync(new URL('../../../../docs/outcomes.md', import.meta.url), 'utf8');
    const section = text.split(/^## /m).find((part) => part.startsWith('Reasons of our own')) ?? '';
    const documented = Array.from(section.matchAll(/^\| ([^|]+) \|/gm), ([, cell = '']) =>
      Array.from(cell.matchAll(/`([^`]+)`/g), ([, reason = '']) => reason),
    ).flat();

    expect(documented.length).toBeGreaterThan(20);
    expect(documented.filter((reason) => toReasonLabel(reason) === 'other')).toEqual([]);
  });
});
