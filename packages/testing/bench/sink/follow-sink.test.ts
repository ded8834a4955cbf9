import { eventually } from '../../src/index.ts';
import { followSink } from './follow-sink.ts';

describe('followSink', () => {
  test('counts what arrives from then on, with when it began and ended', async () => {
    let requests = 7;
    let looks = 0;
    const follower = await followSink({
      count: async () => {
        looks += 1;
        return { connections: 1, requests };
      },
    });
    const startedAtMs = Date.now();

    requests = 8;
    await eventually(() => expect(looks).toBeGreaterThan(2));
    const seenOnceAtMs = Date.now();
    requests = 12;
    const { count, firstAtMs, lastAtMs } = await follower.stop();

    expect(count).toBe(5);
    expect(firstAtMs).toBeGreaterThanOrEqual(startedAtMs);
    expect(firstAtMs).toBeLessThanOrEqual(seenOnceAtMs);
    expect(lastAtMs).toBeGreaterThanOrEqual(seenOnceAtMs);
  });

  test('knows no time where nothing arrived', async () => {
    const follower = await followSink({ count: async () => ({ connections: 1, requests: 7 }) });

    const arrivals = await follower.stop();

    expect(arrivals).toEqual({ count: 0, firstAtMs: Number.NaN, lastAtMs: Number.NaN });
  });
});
