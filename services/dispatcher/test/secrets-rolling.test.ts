import { randomBytes } from 'node:crypto';

import { toKeyId } from '@heliograph/core';
import { listKeyUse } from '@heliograph/db';
import type { SpawnedService } from '@heliograph/testing';

import { expectNothingLost, openStack, type Stack } from './stack.ts';

jest.setTimeout(240_000);

const [OLD, NEXT] = [randomBytes(32), randomBytes(32)];
const [old, next] = [OLD.toString('base64'), NEXT.toString('base64')];

let stack: Stack;
afterEach(() => stack.close());

async function end(...services: readonly SpawnedService[]): Promise<void> {
  for (const service of services) service.kill('SIGTERM');
  await Promise.all(services.map(({ exited }) => exited));
}

describe('a change of the secrets key', () => {
  test('in its four steps loses nothing, sends nothing twice and pauses nothing', async () => {
    stack = await openStack({}, { SECRETS_KEY: old });
    const { apns } = stack.sandbox.credentials;
    const users = await stack.makeAudience(10);
    const ids: string[] = [];
    const fleetOf = (env: Readonly<Record<string, string>>) =>
      Promise.all([stack.startApi(env), stack.startDispatcher(env)]);
    const [firstApi, firstDispatcher] = await fleetOf({});
    ids.push(...(await stack.post(firstApi, users)));

    // Beside each other run those of a step and of the one before, in either direction.
    const opening = { SECRETS_KEY: old, SECRETS_OTHER_KEYS: next };
    const [openingApi, openingDispatcher] = await fleetOf(opening);
    await stack.call(openingApi, 'PUT', '/admin/app/ios/update', { id: 1, ...apns });
    ids.push(...(await stack.post(firstApi, users)));
    await end(firstApi, firstDispatcher);

    const sealing = { SECRETS_KEY: next, SECRETS_OTHER_KEYS: old };
    const sealingApi = await stack.startApi(sealing);
    await stack.call(sealingApi, 'PUT', '/admin/app/ios/update', { id: 1, ...apns });
    ids.push(...(await stack.post(openingApi, users)));
    await stack.settled(ids);
    const sealingDispatcher = await stack.startDispatcher(sealing);
    ids.push(...(await stack.post(sealingApi, users)));
    await end(openingApi, openingDispatcher);

    const rotated = await stack.runCli(['secrets', 'rotate'], sealing);
    ids.push(...(await stack.post(sealingApi, users)));
    const [lastApi, lastDispatcher] = await fleetOf({ SECRETS_KEY: next });
    await end(sealingApi, sealingDispatcher);
    ids.push(...(await stack.post(lastApi, users)));

    await expectNothingLost(stack, ids, { maxRepeats: 0 });
    expect(rotated).toMatchObject({ code: 0 });
    expect(new Set((await listKeyUse(stack.db)).map(({ keyId }) => keyId))).toEqual(
      new Set([toKeyId(NEXT)]),
    );
    expect(await stack.db.selectFrom('pauses').select('reason').execute()).toEqual([]);
    expect(lastDispatcher.output).not.toContain('secrets key missing');
    await expect(stack.startDispatcher()).rejects.toThrow(
      `secrets keys are missing: key ${toKeyId(NEXT)} sealed 2 in credentials.sealed_key`,
    );
  });
});

describe('a dispatcher that is killed while it checks a credential', () => {
  test('leaves it to another one, and the caller gets the answer', async () => {
    stack = await openStack();
    const { apns } = stack.sandbox.credentials;
    stack.sandbox.script('apns', '0'.repeat(64), [
      { kind: 'silence' },
      { kind: 'refuse', reason: 'BadDeviceToken' },
    ]);
    const [api, victim] = await Promise.all([stack.startApi(), stack.startDispatcher()]);
    await stack.call(api, 'POST', '/admin/app/create', { appId: 1 });

    const saving = fetch(`${api.url}/admin/app/ios/update?verify=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ requestObject: { appId: 1, ...apns } }),
    });
    await stack.sandbox.waitFor(1, { timeoutMs: 30_000 });
    victim.kill('SIGKILL');
    await stack.startDispatcher();

    const answer = await saving;
    expect({ status: answer.status, text: await answer.text() }).toEqual({
      status: 200,
      text: '{"status":"OK"}',
    });
    expect(await stack.db.selectFrom('credentials').select('provider').execute()).toEqual([
      { provider: 'apns' },
    ]);
    expect(await stack.db.selectFrom('credentialChecks').select('id').execute()).toEqual([]);
  });
});
