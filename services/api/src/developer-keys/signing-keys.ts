import { randomBytes } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';
import { findSigningKey, type Db, type SigningKey } from '@heliograph/db';

import { openDeveloperSecret } from './developer-secret.ts';

export interface FoundKey {
  /** Undefined for an unknown key, and for one that is disabled. */
  readonly key: Omit<SigningKey, 'secrets'> | undefined;
  /** Always two, so that a check takes as long for every key; what is not there is a secret that nobody knows. */
  readonly secrets: readonly [string, string];
}

export interface SigningKeys {
  /** The developer key and its valid secrets, as they were within the last second. Rejects when the database does not answer. */
  find(developerKey: string): Promise<FoundKey>;
}

/** What was found, or not, is believed that long: so soon a key is disabled everywhere, and a flood costs a query per second. */
const MAX_AGE_MS = 1000;
/** Strangers may name as many keys as they like. */
const MAX_ENTRIES = 10_000;

/** Looks keys up for those who check signatures, without a query and an opened secret per request. */
export function createSigningKeys(deps: {
  readonly db: Db;
  readonly secrets: SecretBox;
}): SigningKeys {
  const known = new Map<string, { readonly found: Promise<FoundKey>; readonly until: number }>();
  const decoys = [createDecoy(), createDecoy()] as const;

  async function look(developerKey: string): Promise<FoundKey> {
    const row = await findSigningKey(deps.db, developerKey);
    if (row === undefined) return { key: undefined, secrets: decoys };
    const { secrets, ...key } = row;
    const [first = decoys[0], second = decoys[1]] = secrets.map((stored) =>
      openDeveloperSecret(deps.secrets, stored),
    );
    return { key, secrets: [first, second] };
  }

  return {
    find(developerKey) {
      const now = performance.now();
      const kept = known.get(developerKey);
      if (kept !== undefined && kept.until > now) return kept.found;

      if (known.size >= MAX_ENTRIES) known.clear();
      const entry = { found: look(developerKey), until: now + MAX_AGE_MS };
      known.set(developerKey, entry);
      entry.found.catch(() => {
        if (known.get(developerKey) === entry) known.delete(developerKey);
      });
      return entry.found;
    },
  };
}

function createDecoy(): string {
  return randomBytes(32).toString('base64url');
}
