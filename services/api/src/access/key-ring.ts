import type { StoredApiKey } from '@heliograph/db';

/** Knows keys, or sessions, by their ids, as they were within the last second. */
export interface KeyRing<Key = StoredApiKey> {
  /** Undefined where there is no such key, or it was revoked. Rejects when the database does not answer. */
  find(id: string): Key | undefined | Promise<Key | undefined>;
}

export interface KeyRingDeps<Key> {
  /** Those of the keys that there are. */
  readonly read: (ids: readonly string[]) => Promise<readonly Key[]>;
  readonly maxAgeMs?: number;
}

/** What was found, or not, is believed that long: so soon a key is revoked everywhere. */
const MAX_AGE_MS = 1000;
/** Strangers may name as many ids as they like; those of keys are never forgotten for them. */
const MAX_UNKNOWN = 10_000;

interface Known<Key> {
  readonly key: Key | undefined;
  readonly until: number;
}

/**
 * Reads keys in turns: while a statement is under way, whoever else asks waits for the next one, which asks for all of them. So a flood of
 * made-up ids costs one statement at a time, however large it is.
 */
export function createKeyRing<Key extends { readonly id: string }>({
  read,
  maxAgeMs = MAX_AGE_MS,
}: KeyRingDeps<Key>): KeyRing<Key> {
  const keys = new Map<string, Known<Key>>();
  const unknown = new Map<string, Known<Key>>();
  const wanted = new Set<string>();
  let next: Promise<ReadonlyMap<string, Key>> | undefined;
  let previous: Promise<unknown> = Promise.resolve();

  async function readAfter(turn: Promise<unknown>): Promise<ReadonlyMap<string, Key>> {
    await turn;
    const ids = [...wanted];
    wanted.clear();
    next = undefined;
    // The age counts from before the look: what changes while it is under way may be missed by it.
    const until = performance.now() + maxAgeMs;
    const found = new Map((await read(ids)).map((key) => [key.id, key]));
    for (const id of ids) keep(id, { key: found.get(id), until });
    return found;
  }

  function keep(id: string, known: Known<Key>): void {
    keys.delete(id);
    unknown.delete(id);
    if (known.key === undefined && unknown.size >= MAX_UNKNOWN) unknown.clear();
    (known.key === undefined ? unknown : keys).set(id, known);
  }

  async function look(id: string): Promise<Key | undefined> {
    wanted.add(id);
    if (next === undefined) {
      next = readAfter(previous);
      // One that failed is over as well.
      previous = next.catch(() => undefined);
    }
    return (await next).get(id);
  }

  return {
    find(id) {
      const known = keys.get(id) ?? unknown.get(id);
      return known !== undefined && known.until > performance.now() ? known.key : look(id);
    },
  };
}
