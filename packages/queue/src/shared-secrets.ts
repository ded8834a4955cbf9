import { randomUUID } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';

import type { RedisClient } from './connection.ts';
import { toError, type LaneOptions } from './hint-queue.ts';

export interface SharedSecret {
  readonly value: string;
  /** It is forgotten after so long; more than 0. */
  readonly ttlMs: number;
}

/** Short-lived secrets that the fleet shares, each written by one process at a time. */
export interface SharedSecrets {
  /**
   * What is kept under the name. Undefined where there is nothing, or nothing that we sealed there. Rejects when Redis does not
   * answer.
   */
  read(name: string): Promise<string | undefined>;
  /**
   * Runs `change` on what is kept, while no other process may change it, and keeps what it resolves with; undefined leaves all as it
   * is. Answers false, with nothing changed, where another process is at it, or where `change` took longer than `lockMs`: then
   * another may have been. Rejects as `change` does, and when Redis does not answer.
   */
  tryUpdate(
    name: string,
    lockMs: number,
    change: (kept: string | undefined) => Promise<SharedSecret | undefined>,
  ): Promise<boolean>;
}

export interface SharedSecretsOptions extends LaneOptions {
  readonly secrets: SecretBox;
}

/** KEYS: the lock, the secret. ARGV: the holder, the sealed secret, its ms. Writes for the lock's holder only. */
const WRITE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
`;

const UNLOCK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`;

/** Kept in Redis, sealed: who reads Redis but has not the secrets key can use none of them. */
export function createSharedSecrets(
  connection: RedisClient,
  { prefix, secrets, onError }: SharedSecretsOptions,
): SharedSecrets {
  const keyOf = (name: string) => `${prefix}:secret:${name}`;
  const lockOf = (name: string) => `${prefix}:secret-lock:${name}`;
  const placeOf = (name: string) => ({ table: 'redis', column: 'secret', row: keyOf(name) });

  async function read(name: string): Promise<string | undefined> {
    const sealed = await connection.getBuffer(keyOf(name));
    if (sealed === null) return undefined;
    try {
      return secrets.open(sealed, placeOf(name)).toString('utf8');
    } catch (cause) {
      onError(new Error(`what is kept as ${name} could not be opened`, { cause }));
      return undefined;
    }
  }

  async function write(name: string, holder: string, secret: SharedSecret): Promise<boolean> {
    const sealed = secrets.seal(Buffer.from(secret.value, 'utf8'), placeOf(name));
    const ttlMs = Math.ceil(secret.ttlMs);
    const keys = [lockOf(name), keyOf(name)];
    return (await connection.eval(WRITE, 2, ...keys, holder, sealed, ttlMs)) === 1;
  }

  /** Never rejects: a lock that stays ends by its time. */
  async function unlock(name: string, holder: string): Promise<void> {
    try {
      await connection.eval(UNLOCK, 1, lockOf(name), holder);
    } catch (error) {
      onError(toError(error));
    }
  }

  return {
    read,
    async tryUpdate(name, lockMs, change) {
      const holder = randomUUID();
      const locked = await connection.set(lockOf(name), holder, 'PX', lockMs, 'NX');
      if (locked === null) return false;
      try {
        const changed = await change(await read(name));
        return changed === undefined || (await write(name, holder, changed));
      } finally {
        await unlock(name, holder);
      }
    },
  };
}
