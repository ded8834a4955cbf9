import { createBulkheads } from './bulkheads.ts';

/** Work that ends when it is told to. */
function createWork() {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

const isOver = (promise: Promise<void>) =>
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
});
