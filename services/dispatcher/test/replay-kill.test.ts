import { eventually, type SpawnedService } from '@heliograph/testing';

import { openStack, toIdentity } from './stack.ts';

jest.setTimeout(200_000);

const USERS = 600;

describe('a dispatcher killed in the middle of a replay', () => {
  test('loses nothing; repeats only what was sent and not recorded, with the same ids', async () => {
    const stack = await openStack();
    try {
      const users = await stack.makeAudience(USERS);
      const api = await stack.startApi();
      const first = await stack.startDispatcher();
      stack.sandbox.script('apns', {}, [
        { kind: 'refuse', reason: 'PayloadTooLarge', times: 'always' },
      ]);
      const ids = await stack.post(api, users);
      await stack.settled(ids);
      const failed = USERS - (await stack.countSent(ids));
      stack.sandbox.clearScripts();

      const replay = (): Promise<Readonly<Record<string, unknown>>> =>
        stack.call(api, 'POST', '/push/failure/replay', { appId: 1 });
      // Held, so that the dispatcher dies with answers owed.
      stack.sandbox.script('apns', {}, [{ kind: 'silence', times: 100 }]);
      const answers = await Promise.all([replay(), replay(), replay()]);
      await eventually(async () => expect(await stack.countLeased(ids)).toBeGreaterThan(0));
      await die(first);
      stack.sandbox.clearScripts();
      await stack.startDispatcher();
      await stack.settled(ids);

      const replayed = answers.reduce((sum, answer) => sum + Number(answer['replayed']), 0);
      expect([failed, replayed]).toEqual([USERS / 2, USERS / 2]);
      expect(await stack.countSent(ids)).toBe(USERS);
      const identities = new Set(stack.accepted().map(toIdentity));
      expect(identities.size).toBe(USERS);
    } finally {
      await stack.close();
    }
  });
});

async function die(service: SpawnedService): Promise<void> {
  service.kill('SIGKILL');
  await service.exited;
}
