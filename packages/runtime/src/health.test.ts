import { createHealth } from './health.ts';
import { createLogger } from './log.ts';

const log = createLogger('test', 'silent');

describe('readiness', () => {
  test('is up when every check passes', async () => {
    const health = createHealth(log);
    health.addCheck('database', async () => 1);
    health.addCheck('redis', async () => 'PONG');

    const readiness = await health.readiness();

    expect(readiness).toEqual({
      status: 'UP',
      components: { database: { status: 'UP' }, redis: { status: 'UP' } },
    });
  });

  test('is down when one check fails, and names it', async () => {
    const health = createHealth(log);
    health.addCheck('database', () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1')));
    health.addCheck('redis', async () => 'PONG');

    const readiness = await health.readiness();

    expect(readiness).toEqual({
      status: 'DOWN',
      components: { database: { status: 'DOWN' }, redis: { status: 'UP' } },
    });
  });

  test('is down when a check does not answer within 2 s', async () => {
    jest.useFakeTimers();
    const health = createHealth(log);
    health.addCheck('database', () => new Promise(() => {}));

    const asked = health.readiness();
    await jest.advanceTimersByTimeAsync(2_000);

    expect((await asked).status).toBe('DOWN');
    jest.useRealTimers();
  });

  test('is down while the process drains, which liveness does not mind', async () => {
    const health = createHealth(log);

    health.drain();

    expect(await health.readiness()).toEqual({ status: 'DOWN', components: {} });
    expect(health.liveness()).toEqual({ status: 'UP' });
  });

  test('logs a change once, with its reason', async () => {
    const warn = jest.spyOn(log, 'warn');
    const health = createHealth(log);
    const failure = new Error('gone');
    health.addCheck('database', () => Promise.reject(failure));

    await health.readiness();
    await health.readiness();

    expect(warn.mock.calls).toEqual([
      [{ component: 'database', status: 'DOWN', err: failure }, 'readiness changed'],
    ]);
  });
});
