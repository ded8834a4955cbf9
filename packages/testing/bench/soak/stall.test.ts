import { orStall } from './stall.ts';

const never = new Promise<string>(() => undefined);

describe('orStall', () => {
  test('answers what the work does', async () => {
    const stall = { progress: () => 0, patienceMs: 60_000, toMessage: () => 'stalled' };

    expect(await orStall(Promise.resolve('done'), stall)).toBe('done');
    await expect(orStall(Promise.reject(new Error('failed')), stall)).rejects.toThrow('failed');
  });

  test('rejects once there was no progress for so long', async () => {
    let done = 0;
    const progress = () => (done = Math.min(done + 1, 50));

    const work = orStall(never, {
      progress,
      patienceMs: 20,
      toMessage: () => `stalled at ${done}`,
    });

    await expect(work).rejects.toThrow('stalled at 50');
  });
});
