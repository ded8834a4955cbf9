import { Places } from './places.ts';

const LONG_MS = 60_000;

describe('places', () => {
  test('are given while there are any, and handed on when one leaves', async () => {
    const places = new Places(2);
    const order: string[] = [];

    await places.take(LONG_MS);
    await places.takeForFeed();
    const waiting = [
      places.takeForFeed().then(() => order.push('feed 1')),
      places.takeForFeed().then(() => order.push('feed 2')),
      places.take(LONG_MS).then(() => order.push('single 1')),
      places.take(LONG_MS).then(() => order.push('single 2')),
    ];
    for (const _ of waiting) places.leave();
    await Promise.all(waiting);

    expect(order).toEqual(['single 1', 'single 2', 'feed 1', 'feed 2']);
  });

  test('are not given any more to who has waited for too long', async () => {
    const places = new Places(1);
    await places.take(LONG_MS);

    const late = await places.take(1);
    places.leave();

    expect(late).toBe(false);
    expect(await places.take(1)).toBe(true);
    expect(await places.take(1)).toBe(false);
  });

  test('that were given back are free', async () => {
    const places = new Places(1);

    for (let n = 0; n < 3; n += 1) {
      expect(await places.take(1)).toBe(true);
      places.leave();
    }
  });
});
