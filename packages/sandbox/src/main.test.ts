import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

const MAIN = join(__dirname, 'main.ts');
const HTTPS = expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/);

async function start(env: NodeJS.ProcessEnv = {}) {
  const child = fork(MAIN, {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [Record<string, string>];
  return { child, message };
}

const exitOf = (child: ChildProcess) =>
  Promise.race([
    once(child, 'exit').then(([code]) => code as unknown),
    after(5_000, 'runs on', { ref: false }),
  ]);

describe('the sandbox as a process', () => {
  test('says where it listens', async () => {
    const { child, message } = await start();

    const health = await fetch(`${message['controlUrl']}/health`);
    child.kill('SIGTERM');
    await exitOf(child);

    expect(message).toEqual({
      type: 'listening',
      apnsUrl: HTTPS,
      apnsDevelopmentUrl: HTTPS,
      fcmUrl: HTTPS,
      tokenUrl: expect.stringMatching(/\/token$/),
      proxyUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/push$/),
      proxyPageUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/push$/),
      callbackUrl: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/callbacks$/),
      controlUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    });
    expect(health.status).toBe(200);
  });

  test.each([
    ['SIGTERM', (child: ChildProcess) => child.kill('SIGTERM')],
    ['SIGINT', (child: ChildProcess) => child.kill('SIGINT')],
    ['the end of its parent', (child: ChildProcess) => child.disconnect()],
  ])('stops at %s', async (_, stop) => {
    const { child } = await start();

    stop(child);

    expect(await exitOf(child)).toBe(0);
  });
});
