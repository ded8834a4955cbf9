import { EventEmitter } from 'node:events';

import { createLogger } from './log.ts';
import { Shutdown } from './shutdown.ts';

/** A process that only notes its exit codes. */
function fakeProcess() {
  const host = Object.assign(new EventEmitter(), {
    exits: [] as number[],
    exit(code: number) {
      host.exits.push(code);
    },
  });
  return host;
}

function start() {
  const host = fakeProcess();
  const log = createLogger('test', 'silent');
  const shutdown = new Shutdown({ log, process: host });
  return { host, shutdown, released: [] as string[] };
}

describe('Shutdown', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test.each(['SIGTERM', 'SIGINT', 'disconnect'])(
    'on %s releases in reverse order and exits 0',
    async (event) => {
      const { host, shutdown, released } = start();
      shutdown.add('database', () => released.push('database'));
      shutdown.add('worker', async () => released.push('worker'));

      host.emit(event);
      await jest.advanceTimersByTimeAsync(0);

      expect(released).toEqual(['worker', 'database']);
      expect(host.exits).toEqual([0]);
    },
  );

  test('goes on after a release that fails, and exits 1', async () => {
    const { host, shutdown, released } = start();
    shutdown.add('database', () => released.push('database'));
    shutdown.add('worker', () => Promise.reject(new Error('stuck')));

    await shutdown.run('test');

    expect(released).toEqual(['database']);
    expect(host.exits).toEqual([1]);
  });

  test('exits 1 when a release takes more than 25 s', async () => {
    const { host, shutdown } = start();
    shutdown.add('worker', () => new Promise(() => {}));

    host.emit('SIGTERM');
    await jest.advanceTimersByTimeAsync(24_999);
    const before = [...host.exits];
    await jest.advanceTimersByTimeAsync(1);

    expect(before).toEqual([]);
    expect(host.exits).toEqual([1]);
  });

  test('gives 5 s more when asked a second time, and releases nothing twice', async () => {
    const { host, shutdown, released } = start();
    shutdown.add('worker', () => {
      released.push('worker');
      return new Promise(() => {});
    });

    host.emit('SIGTERM');
    host.emit('SIGTERM');
    await jest.advanceTimersByTimeAsync(5_000);

    expect(released).toEqual(['worker']);
    expect(host.exits).toEqual([1]);
  });
});
