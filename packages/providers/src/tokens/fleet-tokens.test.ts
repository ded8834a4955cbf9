import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { createSecretBox } from '@heliograph/core';
import { eventually, startOwnRedis, type OwnServer } from '@heliograph/testing';
import { createApnsTokens } from '../apns/provider-token.ts';
import type { Minted, ProviderTokens } from './fleet-tokens.ts';
import { createSigningKey, getToken, LOG, MINUTE_MS, openFleet, type Fleet } from './test-fleet.ts';
import { createMemoryTokenStore } from './token-store.ts';

const opened: { close(): unknown }[] = [];

async function open(server?: OwnServer): Promise<Fleet> {
  const fleet = await openFleet(server);
  opened.push(fleet);
  return fleet;
}

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource.close();
});

async function openMany(fleet: Fleet, count: number): Promise<ProviderTokens[]> {
  return await Promise.all(Array.from({ length: count }, () => fleet.openApns()));
}

const distinct = async (processes: readonly ProviderTokens[]) => [
  ...new Set(await Promise.all(processes.map(getToken))),
];

describe('a provider token of APNs', () => {
  test('is signed by the key of the team, as of now in whole seconds', async () => {
    const fleet = await open();

    const token = await getToken(await fleet.openApns());

    const [header = '', claims = '', signature = ''] = token.split('.');
    const parse = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(parse(header)).toEqual({ alg: 'ES256', kid: fleet.key.keyId });
    expect(parse(claims)).toEqual({
      iss: fleet.key.teamId,
      iat: Date.parse('2026-01-01T00:00:00Z') / 1000,
    });
    const key = { key: createPublicKey(fleet.key.pem), dsaEncoding: 'ieee-p1363' } as const;
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('is made once, however many processes ask for it at once', async () => {
    const fleet = await open();
    const processes = await openMany(fleet, 12);

    const tokens = await distinct([...processes, ...processes]);

    expect(tokens).toHaveLength(1);
    expect(fleet.made).toBe(1);
  });

  test('is not shared by two keys', async () => {
    const fleet = await open();
    const store = await fleet.openStore();
    const other = { ...createSigningKey(), keyId: fleet.key.keyId };
    const deps = { store, nowMs: () => fleet.nowMs, log: LOG };

    const tokens = await distinct([
      await fleet.openApns(),
      createApnsTokens({ ...deps, key: other }),
      createApnsTokens({ ...deps, key: { ...other, keyId: 'OTHER12345' } }),
    ]);

    expect(tokens).toHaveLength(3);
  });

  test('is the same in a process on its own, which needs no Redis', async () => {
    const deps = { key: createSigningKey(), store: createMemoryTokenStore(), log: LOG };
    const [one, two] = [1, 2].map(() => createApnsTokens({ ...deps, nowMs: Date.now }));

    expect(await distinct([one!, two!])).toHaveLength(1);
  });

  test('is shared while the secrets key is changed; who lacks the new key makes one of its own', async () => {
    const fleet = await open();
    const next = randomBytes(32);
    const sealing = createSecretBox(next, [fleet.secretsKey]);
    const opening = createSecretBox(fleet.secretsKey, [next]);

    const shared = [await getToken(await fleet.openApns(sealing))];
    shared.push(await getToken(await fleet.openApns(opening)));
    const own = await getToken(await fleet.openApns());
    const after = await getToken(await fleet.openApns(sealing));

    expect(new Set(shared).size).toBe(1);
    expect(shared).not.toContain(own);
    // It is the one that is shared now.
    expect(after).toBe(own);
    expect(fleet.made).toBe(2);
  });

  test('cannot be read in Redis, nor can the key or the team', async () => {
    const fleet = await open();
    const token = await getToken(await fleet.openApns());

    const keys = await fleet.redis.keys('*');
    const values = await Promise.all(keys.map((key) => fleet.redis.getBuffer(key)));

    expect(keys).toEqual([expect.stringMatching(/^test-[\w-]+:secret:apns:[0-9a-f]{64}$/)]);
    const dump = values.map((value) => value?.toString('latin1')).join();
    const [, claims = '', signature = ''] = token.split('.');
    for (const secret of [claims, signature, fleet.key.teamId, fleet.key.keyId])
      expect(dump).not.toContain(secret);
  });

  test('is forgotten by Redis when its time is over', async () => {
    const fleet = await open();

    await getToken(await fleet.openApns());

    const [key = ''] = await fleet.redis.keys('*');
    expect(await fleet.redis.pttl(key)).toBeLessThanOrEqual(55 * MINUTE_MS);
    expect(await fleet.redis.pttl(key)).toBeGreaterThan(54 * MINUTE_MS);
  });

  test('that was tampered with in Redis is not used, but replaced', async () => {
    const fleet = await open();
    const token = await getToken(await fleet.openApns());
    const [key = ''] = await fleet.redis.keys('*');
    await fleet.redis.set(key, 'AAAA');

    const tokens = await distinct(await openMany(fleet, 2));

    expect(tokens).toHaveLength(1);
    expect(tokens).not.toContain(token);
  });

  test('from the future is not used: a clock was wrong', async () => {
    const fleet = await open();
    const token = await getToken(await fleet.openApns());
    fleet.nowMs -= 2 * MINUTE_MS;

    expect(await getToken(await fleet.openApns())).not.toBe(token);
  });
});

describe('the age of a provider token', () => {
  test('of 44 minutes is no reason for another', async () => {
    const fleet = await open();
    const processes = await openMany(fleet, 2);
    const tokens = await distinct(processes);
    fleet.nowMs += 44 * MINUTE_MS;

    expect(await distinct([...processes, await fleet.openApns()])).toEqual(tokens);
    expect(fleet.made).toBe(1);
  });

  test('of 45 minutes makes one process make another, while the old one serves', async () => {
    const fleet = await open();
    const processes = await openMany(fleet, 6);
    const [old] = await distinct(processes);
    fleet.nowMs += 45 * MINUTE_MS;

    const meanwhile = processes.map((tokens) => tokens.current());
    await eventually(async () => {
      // Who found another at it looks again a second later.
      fleet.nowMs += 1_000;
      expect(processes.map((tokens) => tokens.current())).not.toContain(old);
    });

    expect(new Set(meanwhile)).toEqual(new Set([old]));
    expect(await distinct(processes)).toHaveLength(1);
    expect(fleet.made).toBe(2);
  });

  test('of 55 minutes ends its use', async () => {
    const fleet = await open();
    const tokens = await fleet.openApns();
    const old = await getToken(tokens);
    fleet.nowMs += 55 * MINUTE_MS;

    expect(tokens.current()).toBeUndefined();
    expect(await getToken(tokens)).not.toBe(old);
  });

  test('of 60 minutes, in processes that slept, makes them agree on another', async () => {
    const fleet = await open();
    const processes = await openMany(fleet, 6);
    const [old] = await distinct(processes);
    fleet.nowMs += 60 * MINUTE_MS;

    const tokens = await distinct(processes);

    expect(tokens).toHaveLength(1);
    expect(tokens).not.toContain(old);
    expect(fleet.made).toBe(2);
  });
});

describe('a provider token refused as expired', () => {
  test('is replaced once for all who were refused', async () => {
    const fleet = await open();
    const processes = await openMany(fleet, 6);
    const [old = ''] = await distinct(processes);

    for (const tokens of processes) tokens.refused(old);
    const next = await distinct(processes);
    for (const tokens of processes) tokens.refused(old);

    expect(next).toHaveLength(1);
    expect(next).not.toContain(old);
    expect(await distinct(processes)).toEqual(next);
    expect(fleet.made).toBe(2);
  });

  test('is not made anew for who was not refused, but found so by who comes later', async () => {
    const fleet = await open();
    const [one, two] = await openMany(fleet, 2);
    const old = await getToken(one!);
    await getToken(two!);
    one!.refused(old);
    const next = await getToken(one!);

    const untold = two!.current();
    two!.refused(old);

    expect(untold).toBe(old);
    expect(await getToken(two!)).toBe(next);
    expect(await getToken(await fleet.openApns())).toBe(next);
    expect(fleet.made).toBe(2);
  });

  test('during a renewal is not what the renewal ends with', async () => {
    const fleet = await open();
    const [tokens] = await openMany(fleet, 1);
    const old = await getToken(tokens!);
    // Due: the first look begins a renewal, and another process holds the lock.
    fleet.nowMs += 45 * MINUTE_MS;
    const [key = ''] = await fleet.redis.keys('*');
    const lock = key.replace(':secret:', ':secret-lock:');
    await fleet.redis.set(lock, 'another', 'PX', 200);
    expect(tokens!.current()).toBe(old);

    tokens!.refused(old);

    expect(await getToken(tokens!)).not.toBe(old);
  });

  test('again and again makes no more than one in ten seconds', async () => {
    const fleet = await open();
    const tokens = await fleet.openApns();
    const refuse = async () => {
      tokens.refused(await getToken(tokens));
      return await getToken(tokens);
    };
    const second = await refuse();

    expect([await refuse(), await refuse()]).toEqual([second, second]);
    fleet.nowMs += 10_000;
    expect(await refuse()).not.toBe(second);
    expect(fleet.made).toBe(3);
  });
});

describe('a provider token that came too soon', () => {
  /** All processes went from the first token to the second when the first was 45 minutes old. */
  async function setUp() {
    const fleet = await open();
    const processes = await openMany(fleet, 3);
    const [first = ''] = await distinct(processes);
    fleet.nowMs += 45 * MINUTE_MS;
    let second = '';
    await eventually(async () => {
      fleet.nowMs += 1_000;
      const current = new Set(processes.map((tokens) => tokens.current()));
      expect(current.size).toBe(1);
      expect(current).not.toContain(first);
      [second = ''] = await distinct(processes);
    });
    return { fleet, processes, first, second };
  }

  test('makes way for the one before, for who was told and who comes new', async () => {
    const { fleet, processes, first, second } = await setUp();

    for (const tokens of processes) tokens.tooManyUpdates(second);
    const atOnce = processes.map((tokens) => tokens.current());

    expect(new Set(atOnce)).toEqual(new Set([first]));
    await eventually(async () => expect(await getToken(await fleet.openApns())).toBe(first));
    expect(fleet.made).toBe(2);
  });

  test('serves when the one before has expired, and none is made for 20 minutes', async () => {
    const { fleet, processes, first, second } = await setUp();
    processes[0]!.tooManyUpdates(second);
    await eventually(async () => expect(await getToken(await fleet.openApns())).toBe(first));

    fleet.nowMs += 5 * MINUTE_MS;
    const after5 = await getToken(processes[0]!);
    fleet.nowMs += 6 * MINUTE_MS;
    const after11 = await getToken(processes[0]!);
    const strangers = await distinct(await openMany(fleet, 2));

    expect(after5).toBe(first);
    expect(after11).toBe(second);
    expect(strangers).toEqual([second]);
    expect(fleet.made).toBe(2);
  });

  test('goes on where there was none before', async () => {
    const fleet = await open();
    const tokens = await fleet.openApns();
    const only = await getToken(tokens);

    tokens.tooManyUpdates(only);

    expect(tokens.current()).toBe(only);
    expect(await getToken(await fleet.openApns())).toBe(only);
    expect(fleet.made).toBe(1);
  });
});

describe('the process that makes a token', () => {
  const token = (text: string, fleet: Fleet): Minted => ({
    token: {
      text,
      issuedAtMs: fleet.nowMs,
      renewAtMs: fleet.nowMs + MINUTE_MS,
      expiresAtMs: fleet.nowMs + 2 * MINUTE_MS,
    },
  });

  test('is waited for only as long as it holds the lock; what it makes too late is not used', async () => {
    const fleet = await open();
    let revive = () => {};
    const dead = new Promise<Minted>((resolve) => {
      revive = () => resolve(token('late', fleet));
    });
    let asked = () => {};
    const underWay = new Promise<void>((resolve) => (asked = resolve));
    const stalled = await fleet.open({
      lockMs: 300,
      mint: () => {
        asked();
        return dead;
      },
    });
    const other = await fleet.open({ lockMs: 5_000, mint: async () => token('other', fleet) });
    const owed = getToken(stalled);
    await underWay;

    const found = await getToken(other);
    revive();

    expect(found).toBe('other');
    expect(await owed).toBe('other');
  });

  test('that fails leaves the old one in use, and is asked again ten seconds later', async () => {
    const fleet = await open();
    const outcome = { kind: 'pause', reason: 'invalid_grant', scope: 'credential' } as const;
    let answer: Minted = token('old', fleet);
    let asked = 0;
    const mint = async () => {
      asked += 1;
      return answer;
    };
    const tokens = await fleet.open({ lockMs: 5_000, mint });
    await getToken(tokens);
    answer = { outcome };

    fleet.nowMs += MINUTE_MS;
    expect(tokens.current()).toBe('old');
    await eventually(async () => expect(asked).toBe(2));
    const newcomer = await getToken(await fleet.open({ lockMs: 5_000, mint }));
    fleet.nowMs += 10_000;
    expect(tokens.current()).toBe('old');
    await eventually(async () => expect(asked).toBe(4));
    fleet.nowMs += MINUTE_MS;

    expect(newcomer).toBe('old');
    expect(await tokens.get()).toEqual({ outcome });
  });
});

describe('without Redis', () => {
  let server: OwnServer;
  beforeEach(async () => {
    server = await startOwnRedis();
    opened.push({ close: () => server.stop() });
  });

  test('a process makes a token of its own, and shares it once Redis is there', async () => {
    const fleet = await open(server);
    const [one, two] = await openMany(fleet, 2);
    await server.kill();
    const [own, others] = [await getToken(one!), await getToken(two!)];
    expect(own).not.toBe(others);
    await server.start();

    await eventually(async () => {
      fleet.nowMs += 30_000;
      expect(one!.current()).toBe(own);
      expect(await fleet.redis.keys('*')).toHaveLength(1);
    });
    const newcomer = await fleet.openApns();

    expect(await getToken(newcomer)).toBe(own);
    expect(fleet.made).toBe(2);
  });

  test('a process gives its own up, in time, when Redis is back with another', async () => {
    const fleet = await open(server);
    const [alone] = await openMany(fleet, 1);
    await server.kill();
    const own = await getToken(alone!);
    await server.start();
    let shared = '';
    await eventually(async () => {
      shared = await getToken(await fleet.openApns());
      expect(fleet.made).toBe(2);
      expect(await fleet.redis.keys('*')).toHaveLength(1);
    });

    expect(await getToken(alone!)).toBe(own);
    fleet.nowMs += 19 * MINUTE_MS;
    await eventually(async () => {
      fleet.nowMs += MINUTE_MS;
      expect(alone!.current()).toBe(shared);
    });
    expect(fleet.made).toBe(2);
  });

  test('in the middle, the token goes on until it is 55 minutes old, then each process has its own', async () => {
    const fleet = await open(server);
    const processes = await openMany(fleet, 2);
    const old = await distinct(processes);
    await server.kill();

    const early = await distinct(processes);
    fleet.nowMs += 50 * MINUTE_MS;
    const due = await distinct(processes);
    fleet.nowMs += 5 * MINUTE_MS;
    const expired = await distinct(processes);

    expect([early, due]).toEqual([old, old]);
    expect(expired).toHaveLength(2);
    expect(expired).not.toContain(old[0]);
    expect(fleet.made).toBe(3);
  });

  test('a refused token is replaced all the same, though not for ever', async () => {
    const fleet = await open(server);
    const [tokens] = await openMany(fleet, 1);
    const old = await getToken(tokens!);
    await server.kill();

    tokens!.refused(old);
    const next = await getToken(tokens!);
    tokens!.refused(next);

    expect(next).not.toBe(old);
    expect(await getToken(tokens!)).toBe(next);
  });
});
