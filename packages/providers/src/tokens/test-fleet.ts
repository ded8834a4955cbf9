import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createSecretBox, type SecretBox } from '@heliograph/core';
import { createSharedSecrets, openRedis } from '@heliograph/queue';
import { openTestRedis } from '@heliograph/testing';
import { createApnsTokens } from '../apns/provider-token.ts';
import type { SigningKey } from '../apns/signing-key.ts';
import { FleetTokens, type FleetTokensDeps, type ProviderTokens } from './fleet-tokens.ts';
import type { TokenStore } from './token-store.ts';

export const MINUTE_MS = 60_000;
export const LOG = { info: () => undefined, warn: () => undefined };

type Redis = ReturnType<typeof openRedis>;

/** Processes that share tokens over one Redis, by a clock that stands still until it is moved. */
export interface Fleet {
  nowMs: number;
  readonly redis: Redis;
  readonly prefix: string;
  /** Tokens that were made, by all processes together. */
  readonly made: number;
  readonly key: SigningKey;
  readonly secretsKey: Buffer;
  /** One more process's way to Redis; with the fleet's secrets key alone, unless given others. */
  openStore(secrets?: SecretBox): Promise<TokenStore>;
  /** One more process's tokens of the fleet's key for APNs. */
  openApns(secrets?: SecretBox): Promise<ProviderTokens>;
  /** One more process's tokens, made as told. */
  open(deps: Pick<FleetTokensDeps, 'mint' | 'lockMs'>): Promise<ProviderTokens>;
  close(): void;
}

export async function openFleet(server?: { readonly url: string }): Promise<Fleet> {
  const { url, prefix } = server ? { url: server.url, prefix: 'test' } : await openTestRedis();
  const secretsKey = randomBytes(32);
  const closers: (() => void)[] = [];

  async function connect(): Promise<Redis> {
    const redis = openRedis(url, 'command', () => undefined);
    closers.push(() => redis.disconnect());
    await new Promise((resolve) => redis.once('ready', resolve));
    return redis;
  }

  const log = {
    ...LOG,
    info: (_: object, text: string) => {
      if (text === 'provider token made') made += 1;
    },
  };
  let made = 0;
  const fleet: Fleet = {
    nowMs: Date.parse('2026-01-01T00:00:00.250Z'),
    redis: await connect(),
    prefix,
    key: createSigningKey(),
    get made() {
      return made;
    },
    secretsKey,
    openStore: async (secrets = createSecretBox(secretsKey)) =>
      createSharedSecrets(await connect(), { prefix, secrets, onError: () => undefined }),
    openApns: async (secrets) =>
      keep(
        createApnsTokens({
          key: fleet.key,
          store: await fleet.openStore(secrets),
          nowMs: () => fleet.nowMs,
          log,
        }),
      ),
    open: async (deps) => {
      const store = await fleet.openStore();
      return keep(new FleetTokens({ ...deps, name: 'x', store, nowMs: () => fleet.nowMs, log }));
    },
    close: () => closers.toReversed().forEach((close) => close()),
  };

  function keep(tokens: ProviderTokens): ProviderTokens {
    closers.push(() => tokens.close());
    return tokens;
  }

  return fleet;
}

export function createSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { keyId: 'KEY1234567', teamId: 'TEAM123456', pem };
}

/** The token, which must be there. */
export async function getToken(tokens: ProviderTokens): Promise<string> {
  const answer = await tokens.get();
  if ('outcome' in answer) throw new Error(JSON.stringify(answer.outcome));
  return answer.token;
}
