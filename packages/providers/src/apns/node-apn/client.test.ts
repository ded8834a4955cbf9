import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';

import { createProviderPool, type ProviderPool } from '../../provider-pool.ts';
import type { PushProvider } from '../../push-provider.ts';
import {
  createApnsToken,
  createPush,
  openWire,
  toApnsCredential,
  type Wire,
} from '../../test-fixtures.ts';

/** For what is never answered; short, since it is waited for. */
const SHORT_DEADLINE_MS = 1_000;

let sandbox: Sandbox;
let wire: Wire;
let pool: ProviderPool;
let provider: PushProvider;

const send = async (code = '') => (await provider.send(createPush(createApnsToken(code)))).outcome;

beforeEach(async () => {
  sandbox = await createSandbox();
  wire = await openWire(sandbox.apnsUrl);
  const endpoints = toEndpoints(sandbox);
  pool = createProviderPool({
    endpoints: { ...endpoints, apns: { ...endpoints.apns, production: wire.url } },
    idleMs: 60_000,
    apnsClient: 'node-apn',
    deadlinesMs: { apns: SHORT_DEADLINE_MS },
  });
  provider = pool.get(toApnsCredential(sandbox));
});
afterEach(async () => {
  await pool.close();
  await wire.close();
  await sandbox.close();
});

test('three requests in a row without an answer: the connection is replaced', async () => {
  await send();

  await Promise.all([send('0000'), send('0000'), send('0000')]);

  expect((await send()).kind).toBe('sent');
  expect(wire.connections).toBe(2);
});

test('a page of HTML is an answer that it does not hand out', async () => {
  expect(await send('5020')).toEqual({ kind: 'ambiguous', reason: 'no_answer' });
});
