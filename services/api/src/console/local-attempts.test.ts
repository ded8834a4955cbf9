import { createLocalAttempts } from './local-attempts.ts';

let at = 0;
const now = () => at;
const small = { name: 'small', size: 2, perSecond: 0.5 };
const large = { name: 'large', size: 5, perSecond: 0.5 };

describe('the attempts at one server', () => {
  test('are as many as the bucket holds, and come again with time', async () => {
    const attempts = createLocalAttempts({ now });

    const waits = [];
    for (let n = 0; n < 3; n += 1) waits.push(await attempts.take([small]));
    at += 2000;
    waits.push(await attempts.take([small]), await attempts.take([small]));

    expect(waits).toEqual([0, 0, 2000, 0, 2000]);
  });

  test('are taken of every bucket, or of none', async () => {
    const attempts = createLocalAttempts({ now });
    for (let n = 0; n < 2; n += 1) await attempts.take([small, large]);
    await attempts.take([small, large]);

    const waits = [];
    for (let n = 0; n < 4; n += 1) waits.push(await attempts.take([large]));

    expect(waits).toEqual([0, 0, 0, 2000]);
  });

  test('may be put back, but no more than the bucket holds', async () => {
    const attempts = createLocalAttempts({ now });
    await attempts.take([small]);
    await attempts.giveBack([small]);
    await attempts.giveBack([small]);

    const waits = [];
    for (let n = 0; n < 3; n += 1) waits.push(await attempts.take([small]));

    expect(waits).toEqual([0, 0, 2000]);
  });

  test('are remembered of ten thousand names', async () => {
    const attempts = createLocalAttempts({ now });
    const once = (name: string) => attempts.take([{ name, size: 1, perSecond: 0.5 }]);
    for (let n = 0; n < 10_000; n += 1) await once(`${n}`);
    expect(await once('0')).toBeGreaterThan(0);

    await once('one more');

    // The first one is forgotten; and with its coming back the second.
    expect([await once('0'), (await once('2')) > 0]).toEqual([0, true]);
  });
});
