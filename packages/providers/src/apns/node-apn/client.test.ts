import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { eventually, toEndpoints } from '@heliograph/testing';

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
/** Longer than a test may take. */
const PATIENT_DEADLINE_MS = 60_000;

let sandbox: Sandbox;
let wire: Wire;
let pool: ProviderPool;
let provider: PushProvider;

const send = async (code = '') => (await provider.send(createPush(createApnsToken(code)))).outcome;

function openPool(deadlineMs: number): ProviderPool {
  const endpoints = toEndpoints(sandbox);
  return createProviderPool({
    endpoints: { ...endpoints, apns: { ...endpoints.apns, production: wire.url } },
    idleMs: 60_000,
    apnsClient: 'node-apn',
    deadlinesMs: { apns: deadlineMs },
  });
}

beforeEach(async () => {
  sandbox = await createSandbox();
  wire = await openWire(sandbox.apnsUrl);
  pool = openPool(SHORT_DEADLINE_MS);
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

test('abandoning ends at once what is under way, and its connection', async () => {
  const patient = openPool(PATIENT_DEADLINE_MS);
  const push = createPush(createApnsToken('0000'));
  const sending = patient.get(toApnsCredential(sandbox)).send(push);
  await sandbox.waitFor(1, { token: push.pushToken });

  patient.abandon();
  await patient.close();

  expect((await sending).outcome).toEqual({ kind: 'ambiguous', reason: 'aborted' });
  await eventually(() => expect(wire.open).toBe(0));
});
