import { BACKOFFS, toRetryDelayMs, type BackoffName } from './backoff.ts';

const NAMES = Object.keys(BACKOFFS).filter((name): name is BackoffName => name in BACKOFFS);

describe('retry delays', () => {
  test.each([
    ['apns_trouble', 1, [7_500, 15_000]],
    ['apns_trouble', 2, [60_000, 120_000]],
    ['apns_trouble', 3, [450_000, 900_000]],
    ['apns_trouble', 40, [450_000, 900_000]],
    ['apns_device_throttled', 1, [30_000, 60_000]],
    ['apns_device_throttled', 2, [60_000, 120_000]],
    ['apns_token_updates', 1, [300_000, 300_000]],
    ['fcm_trouble', 1, [10_000, 10_000]],
    ['fcm_trouble', 2, [10_000, 20_000]],
    ['fcm_trouble', 3, [20_000, 40_000]],
    ['fcm_quota', 1, [60_000, 60_000]],
    ['fcm_quota', 9, [450_000, 900_000]],
    ['proxy_trouble', 1, [10_000, 10_000]],
    ['proxy_trouble', 3, [10_000, 10_000]],
    ['proxy_trouble_long', 1, [60_000, 120_000]],
    ['proxy_trouble_long', 2, [120_000, 240_000]],
    ['proxy_throttled', 1, [60_000, 60_000]],
    ['connection', 1, [1_000, 2_000]],
  ] as const)('%s after %d failures lie within %j ms', (name, failures, [least, most]) => {
    expect(toRetryDelayMs(name, failures, undefined, () => 0)).toBe(least);
    expect(toRetryDelayMs(name, failures, undefined, () => 0.999_999_999)).toBe(most);
  });

  test.each(NAMES)('%s never undercuts Retry-After, and adds at most a tenth', (name) => {
    const retryAfterMs = 3_600_000;

    expect(toRetryDelayMs(name, 1, retryAfterMs, () => 0)).toBe(retryAfterMs);
    expect(toRetryDelayMs(name, 1, retryAfterMs, () => 0.5)).toBe(retryAfterMs * 1.05);
  });

  test('a Retry-After shorter than the vendor demands changes nothing', () => {
    expect(toRetryDelayMs('fcm_trouble', 1, 1_000, () => 0)).toBe(10_000);
  });
});
