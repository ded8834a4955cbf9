import type { Outcome } from '@heliograph/core';
import type { PushProvider } from '@heliograph/providers';
import { toMessage } from '@heliograph/testing';

import { attempt, type SettledAttempt } from './attempt.ts';

const push = {
  deliveryId: '019345a0-0000-7000-8000-000000000001',
  pushToken: 'token',
  message: { ...toMessage(1, 'user'), body: {} },
  environment: 'production',
} as const;

function answering(outcome: Outcome): Pick<PushProvider, 'send'> & { calls: number } {
  const provider = {
    calls: 0,
    send() {
      provider.calls += 1;
      return Promise.resolve({ outcome, status: 503, endpoint: 'host' });
    },
  };
  return provider;
}

const requeue: Outcome = {
  kind: 'requeue',
  reason: 'refused_stream',
  remedy: 'other_connection',
  limit: 5,
  otherwise: { kind: 'retry', reason: 'refused_stream', backoff: 'connection', bound: 'expiry' },
};

function tryPush(provider: Pick<PushProvider, 'send'>, mayGoOn = () => true) {
  return attempt(provider, push, { mayGoOn, onBug: fail });
}

function fail(error: unknown): void {
  throw error;
}

describe('an attempt', () => {
  test('ends though the provider always puts the push back', async () => {
    const provider = answering(requeue);

    expect(await tryPush(provider)).toMatchObject({ outcome: { kind: 'retry' } });
    expect(provider.calls).toBe(6);
  });

  test('does not go again where the lease has run out meanwhile', async () => {
    const provider = answering(requeue);

    expect(await tryPush(provider, () => false)).toBe('unsent');
    expect(provider.calls).toBe(1);
  });

  test.each([
    ['fail', { kind: 'fail', reason: 'Bad\u0000\ud800\nword' }],
    ['pause', { kind: 'pause', reason: `Bad\u0000\ud800\n${'word'.repeat(10_000)}`, scope: 'app' }],
  ] as const)(
    'takes from a hostile answer no word that the ledger can not hold: %s',
    async (_, outcome) => {
      const settled = (await tryPush(answering(outcome))) as SettledAttempt;

      expect(settled.outcome).toMatchObject({ reason: expect.stringMatching(/^Bad\ufffd{3}word/) });
      expect('reason' in settled.outcome && settled.outcome.reason.length).toBeLessThanOrEqual(200);
    },
  );

  test('takes no such id either', async () => {
    const provider = answering({ kind: 'sent', providerMessageId: 'projects/x/messages/\u0000' });

    expect(await tryPush(provider)).toMatchObject({
      outcome: { kind: 'sent', providerMessageId: 'projects/x/messages/\ufffd' },
    });
  });
});
