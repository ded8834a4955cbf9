import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { eventually } from '@heliograph/testing';
import { toFcmCredential } from '../test-fixtures.ts';
import type { ProviderTokens } from '../tokens/fleet-tokens.ts';
import { getToken, LOG, MINUTE_MS, openFleet, type Fleet } from '../tokens/test-fleet.ts';
import { createTrust } from '../trust.ts';
import { createAccessTokens } from './access-token.ts';
import { createHttpAgent } from './http.ts';
import { findServiceAccount } from './service-account.ts';

const NO_MORE = { kind: 'refuse', reason: 'invalid_grant', times: 'always' } as const;

let sandbox: Sandbox;
let fleet: Fleet;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(async () => {
  await sandbox.close();
});
beforeEach(async () => {
  sandbox.clearScripts();
  fleet = await openFleet();
  // Google judges by its own clock what is signed.
  fleet.nowMs = Date.now();
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  fleet.close();
});

/** One more process. */
async function open(): Promise<ProviderTokens> {
  const account = findServiceAccount(toFcmCredential(sandbox).serviceAccount);
  const agent = createHttpAgent(1, createTrust(sandbox.caPem));
  const tokens = createAccessTokens({
    account: account!,
    tokenUrl: new URL(sandbox.tokenUrl),
    agent,
    deadlineMs: 15_000,
    store: await fleet.openStore(),
    nowMs: () => fleet.nowMs,
    log: LOG,
  });
  closers.push(
    () => agent.close(),
    () => tokens.close(),
  );
  return tokens;
}

const openMany = (count: number) => Promise.all(Array.from({ length: count }, open));
const distinct = async (processes: readonly ProviderTokens[]) => [
  ...new Set(await Promise.all(processes.map(getToken))),
];

describe('an access token', () => {
  test('is fetched once, however many processes ask for it at once', async () => {
    sandbox.script('google-token', '', [{ kind: 'accept', delayMs: 200 }, NO_MORE]);

    expect(await distinct(await openMany(8))).toHaveLength(1);
    expect(await distinct(await openMany(2))).toHaveLength(1);
  });

  test('cannot be read in Redis', async () => {
    const token = await getToken(await open());

    const [key = '', ...others] = await fleet.redis.keys('*');

    expect(others).toEqual([]);
    expect(key).toMatch(/:secret:fcm:[0-9a-f]{64}$/);
    const stored = await fleet.redis.getBuffer(key);
    expect(stored?.toString('latin1')).not.toContain(token.slice(-12));
  });

  test('is replaced five minutes before its end, and serves until the new one is there', async () => {
    const [one, two] = await openMany(2);
    const old = await getToken(one!);
    fleet.nowMs += 54 * MINUTE_MS;
    expect(await getToken(two!)).toBe(old);

    fleet.nowMs += MINUTE_MS;
    const meanwhile = one!.current();
    await eventually(async () => expect(one!.current()).not.toBe(old));

    expect(meanwhile).toBe(old);
    expect(await getToken(await open())).toBe(one!.current());
  });

  test('refused with 401 is replaced once for all who were refused', async () => {
    const processes = await openMany(4);
    const [old = ''] = await distinct(processes);
    sandbox.script('google-token', '', [{ kind: 'accept' }, NO_MORE]);

    for (const tokens of processes) tokens.refused(old);
    const next = await distinct(processes);

    expect(next).toHaveLength(1);
    expect(next).not.toContain(old);
  });

  test('that cannot be had after a 401 is not made up for by the refused one', async () => {
    const tokens = await open();
    const old = await getToken(tokens);
    sandbox.script('google-token', '', [NO_MORE]);

    tokens.refused(old);

    const outcome = { kind: 'pause', reason: 'invalid_grant', scope: 'credential' };
    expect(await tokens.get()).toEqual({ outcome });
    expect(await tokens.get()).toEqual({ outcome });
    expect(tokens.current()).toBeUndefined();
  });
});
