import { afterRequeues, burnsAttempt, judge, type OwedDelivery } from './ledger.ts';
import type { Requeue, Retry } from './outcome.ts';

const NOW = new Date('2026-11-23T06:00:00Z');
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

function owed(changes: Partial<OwedDelivery> = {}): OwedDelivery {
  return {
    provider: 'apns',
    attempts: 0,
    ambiguousAttempts: 0,
    firstAttemptAt: undefined,
    expiresAt: at(24 * 3600),
    ...changes,
  };
}

const most = () => 0.999_999_999;
const trouble: Retry = {
  kind: 'retry',
  reason: 'ServiceUnavailable',
  backoff: 'apns_trouble',
  bound: 'expiry',
};

describe('what an outcome means for its delivery', () => {
  test('sent is final and keeps the id of the provider', () => {
    expect(judge({ kind: 'sent', providerMessageId: 'x' }, owed(), NOW, most)).toEqual({
      state: 'sent',
      providerMessageId: 'x',
    });
  });

  test.each([
    [{ kind: 'fail', reason: 'PayloadTooLarge' } as const],
    [{ kind: 'gone', reason: 'Unregistered', fault: 'dead' } as const],
  ])('%j is final', (outcome) => {
    expect(judge(outcome, owed(), NOW, most)).toEqual({ state: 'failed', reason: outcome.reason });
  });

  test('a pause keeps it pending, with no attempt burned', () => {
    const outcome = { kind: 'pause', reason: 'InvalidProviderToken', scope: 'credential' } as const;

    expect(judge(outcome, owed(), NOW, most)).toEqual({
      state: 'paused',
      reason: 'InvalidProviderToken',
      scope: 'credential',
    });
    expect(burnsAttempt(outcome)).toBe(false);
    expect(burnsAttempt(trouble)).toBe(true);
  });

  test('a wait beyond all time is as good as the expiry', () => {
    const outcome = { ...trouble, retryAfterMs: 8_600_000_000_000_000 };

    expect(judge(outcome, owed(), NOW, most)).toEqual({
      state: 'expired',
      reason: 'ServiceUnavailable',
    });
  });

  test('trouble at the provider is retried however often, until the expiry', () => {
    expect(judge(trouble, owed({ attempts: 500 }), NOW, most)).toEqual({
      state: 'pending',
      reason: 'ServiceUnavailable',
      nextAttemptAt: at(900),
    });
    expect(judge(trouble, owed({ attempts: 500, expiresAt: at(900) }), NOW, most)).toEqual({
      state: 'expired',
      reason: 'ServiceUnavailable',
    });
  });

  test('FCM is given up an hour after the first attempt, not after the acceptance', () => {
    const fcm: Retry = { ...trouble, backoff: 'fcm_trouble' };

    const late = owed({ provider: 'fcm', firstAttemptAt: at(-3595), attempts: 3 });
    const first = owed({ provider: 'fcm' });

    expect(judge(fcm, late, NOW, most)).toMatchObject({ state: 'failed' });
    expect(judge(fcm, first, NOW, most)).toMatchObject({ state: 'pending' });
  });

  test('other retries end after six', () => {
    const counted: Retry = { ...trouble, bound: 'count' };

    expect(judge(counted, owed({ attempts: 5 }), NOW, most)).toMatchObject({ state: 'pending' });
    expect(judge(counted, owed({ attempts: 6 }), NOW, most)).toMatchObject({ state: 'failed' });
  });

  test('what was never answered goes again twice, then it failed as ambiguous', () => {
    const lost = { kind: 'ambiguous', reason: 'timeout' } as const;

    expect(judge(lost, owed({ ambiguousAttempts: 1 }), NOW, most)).toMatchObject({
      state: 'pending',
      reason: 'timeout',
    });
    expect(judge(lost, owed({ ambiguousAttempts: 2 }), NOW, most)).toEqual({
      state: 'failed',
      reason: 'ambiguous',
    });
  });
});

describe("what a customer's proxy did not take", () => {
  const documented: Retry = {
    kind: 'retry',
    reason: 'http_503',
    backoff: 'proxy_trouble',
    bound: 'count',
    limit: 4,
  };
  const lost = {
    kind: 'ambiguous',
    reason: 'timeout',
    backoff: 'proxy_trouble',
    limit: 4,
  } as const;

  test('goes again every 10 s, four times in all', () => {
    expect(judge(documented, owed({ attempts: 2 }), NOW, most)).toEqual({
      state: 'pending',
      reason: 'http_503',
      nextAttemptAt: at(10),
    });
    expect(judge(documented, owed({ attempts: 3 }), NOW, most)).toEqual({
      state: 'failed',
      reason: 'http_503',
    });
  });

  test('and what it never answered counts among the four, however many of them that were', () => {
    const third = owed({ attempts: 2, ambiguousAttempts: 2 });

    expect(judge(lost, third, NOW, most)).toEqual({
      state: 'pending',
      reason: 'timeout',
      nextAttemptAt: at(10),
    });
    expect(judge(lost, owed({ attempts: 3, ambiguousAttempts: 1 }), NOW, most)).toEqual({
      state: 'failed',
      reason: 'ambiguous',
    });
  });

  test('has until the expiry where the customer wants that, on Android too', () => {
    const long: Retry = { ...trouble, reason: 'http_503', backoff: 'proxy_trouble_long' };
    const late = owed({ provider: 'fcm', firstAttemptAt: at(-7200), attempts: 9 });

    expect(judge(long, late, NOW, most)).toEqual({
      state: 'pending',
      reason: 'http_503',
      nextAttemptAt: at(900),
    });
  });
});

describe('requeues', () => {
  const requeue: Requeue = {
    kind: 'requeue',
    reason: 'Shutdown',
    remedy: 'other_connection',
    limit: 1,
    otherwise: trouble,
  };

  test('are spent before the outcome behind them counts', () => {
    expect(afterRequeues(requeue, 0)).toBe(requeue);
    expect(afterRequeues(requeue, 1)).toBe(trouble);
    expect(afterRequeues(trouble, 0)).toBe(trouble);
  });
});
