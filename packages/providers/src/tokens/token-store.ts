export interface StoredText {
  readonly value: string;
  /** It is forgotten after so long; more than 0. */
  readonly ttlMs: number;
}

/** Where provider tokens are kept: shared by the fleet in production. What is kept are secrets. */
export interface TokenStore {
  /** Undefined where nothing usable is kept. Rejects when the store can't be reached. */
  read(name: string): Promise<string | undefined>;
  /**
   * Runs `change` on what is kept, while nobody else may change it, and keeps what it resolves with; undefined leaves
   * all as it is. Answers false, with nothing changed, where another is at it, or where `change` took longer than
   * `lockMs`. Rejects as `change` does, and when the store can't be reached.
   */
  tryUpdate(
    name: string,
    lockMs: number,
    change: (kept: string | undefined) => Promise<StoredText | undefined>,
  ): Promise<boolean>;
}

interface Entry {
  readonly value: string;
  readonly untilMs: number;
}

/** For a process on its own: nothing is shared, and all is forgotten with it. */
export function createMemoryTokenStore(): TokenStore {
  const entries = new Map<string, Entry>();
  const locked = new Set<string>();

  function find(name: string): string | undefined {
    const entry = entries.get(name);
    return entry && performance.now() < entry.untilMs ? entry.value : undefined;
  }

  function forgetOld(): void {
    for (const name of entries.keys()) if (find(name) === undefined) entries.delete(name);
  }

  return {
    read: async (name) => find(name),
    async tryUpdate(name, _lockMs, change) {
      if (locked.has(name)) return false;
      locked.add(name);
      try {
        const changed = await change(find(name));
        forgetOld();
        if (changed)
          entries.set(name, { value: changed.value, untilMs: performance.now() + changed.ttlMs });
        return true;
      } finally {
        locked.delete(name);
      }
    },
  };
}
