/** Notes which keys are used, and tells it once a minute. */
export interface KeyUse {
  note(keyId: string): void;
  /** Tells what is left, and no more. */
  close(): Promise<void>;
}

export interface KeyUseDeps {
  readonly write: (keyIds: readonly string[]) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;

export function createKeyUse({ write, onError, everyMs = EVERY_MS }: KeyUseDeps): KeyUse {
  const used = new Set<string>();

  async function tell(): Promise<void> {
    if (used.size === 0) return;
    const keyIds = [...used];
    used.clear();
    // What is not told now is told with the next use: nothing depends on it.
    await write(keyIds).catch(onError);
  }

  const timer = setInterval(() => void tell(), everyMs);
  timer.unref();
  return {
    note: (keyId) => void used.add(keyId),
    async close() {
      clearInterval(timer);
      await tell();
    },
  };
}
