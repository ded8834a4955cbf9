import { createBulkheads as create, type BulkheadLimits } from './bulkheads.ts';

function createBulkheads(limits: Partial<BulkheadLimits> = {}, clockMs = () => 0) {
  return create(clockMs, { perScope: 10, inAll: 10, waitedFor: 10, slowMs: 100, ...limits });
}

/** Work that ends when it is told to. */
function createWork() {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

const isOver = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

describe('bulkheads', () => {
  test('let nobody wait for work while there is room in its scope', async () => {
    const bulkheads = createBulkheads({ perScope: 2, inAll: 10 });
    const hanging = createWork();

    const started = [
      bulkheads.run('slow', hanging.work),
      bulkheads.run('slow', hanging.work),
      bulkheads.run('other', hanging.work),
    ];

    await Promise.all(started);
    hanging.end();
    await bulkheads.drained();
  });

  test('have whoever brings more to a scope wait, and nobody else', async () => {
    const bulkheads = createBulkheads({ perScope: 1, inAll: 10 });
    const hanging = createWork();
    await bulkheads.run('slow', hanging.work);

    const second = bulkheads.run('slow', hanging.work);
    const other = bulkheads.run('other', hanging.work);

    expect(await isOver(second)).toBe(false);
    expect(await isOver(other)).toBe(true);
    hanging.end();
    await second;
  });

  test('bound what is under way in all scopes together', async () => {
    const bulkheads = createBulkheads({ perScope: 10, inAll: 1 });
    const hanging = createWork();
    await bulkheads.run('one', hanging.work);

    const beyond = bulkheads.run('another', hanging.work);

    expect(await isOver(beyond)).toBe(false);
    hanging.end();
    await beyond;
  });

  test('are drained when nothing is under way', async () => {
    const bulkheads = createBulkheads();
    const hanging = createWork();
    await bulkheads.drained();
    await bulkheads.run('one', hanging.work);

    const drained = bulkheads.drained();

    expect(await isOver(drained)).toBe(false);
    hanging.end();
    await drained;
  });

  test('turn away what is brought to a scope that is full, slow, and waited for by enough', async () => {
    let nowMs = 0;
    const bulkheads = createBulkheads({ perScope: 1, waitedFor: 1 }, () => nowMs);
    const hanging = createWork();
    await bulkheads.run('slow', hanging.work);
    const waitedFor = bulkheads.run('slow', hanging.work);
    let ran = 0;
    const count = () => Promise.resolve(void (ran += 1));

    const whileFast = bulkheads.run('slow', count);
    nowMs = 101;
    const whenSlow = await bulkheads.run('slow', count);
    const other = await bulkheads.run('other', count);

    expect([await whileFast, whenSlow, other, ran]).toEqual([true, false, true, 2]);
    hanging.end();
    await waitedFor;
    await bulkheads.drained();
    expect(await bulkheads.run('slow', count)).toBe(true);
  });
});
