/**
 * Lets the work of each scope go on by itself: whoever starts it need not wait for it, so that a scope that is slow, or hangs, keeps
 * nobody else from starting theirs. Only where a scope has much under way already, or all of them together have, it has to be waited for.
 */
export interface Bulkheads {
  /** Runs the work, which must not reject. Resolves at once while there is room in its scope, else when the work is done. */
  run(scope: string, work: () => Promise<void>): Promise<void>;
  /** Resolves when nothing is under way. */
  drained(): Promise<void>;
}

/** What a provider takes at once. Whatever is beyond that would only be held up, should this process die. */
const MAX_PER_SCOPE = 1_000;
/** Bounds memory, whatever the number of scopes. */
const MAX_IN_ALL = 50_000;

export function createBulkheads(
  limits: { readonly perScope: number; readonly inAll: number } = {
    perScope: MAX_PER_SCOPE,
    inAll: MAX_IN_ALL,
  },
): Bulkheads {
  const counts = new Map<string, number>();
  let inAll = 0;
  let idle: (() => void)[] = [];

  async function runCounted(scope: string, work: () => Promise<void>): Promise<void> {
    counts.set(scope, (counts.get(scope) ?? 0) + 1);
    inAll += 1;
    try {
      await work();
    } finally {
      const left = (counts.get(scope) ?? 1) - 1;
      if (left === 0) counts.delete(scope);
      else counts.set(scope, left);
      inAll -= 1;
      if (inAll === 0) tellIdle();
    }
  }

  function tellIdle(): void {
    const waiting = idle;
    idle = [];
    for (const resolve of waiting) resolve();
  }

  return {
    async run(scope, work) {
      const hasRoom = inAll < limits.inAll && (counts.get(scope) ?? 0) < limits.perScope;
      const done = runCounted(scope, work);
      if (!hasRoom) await done;
    },
    async drained() {
      if (inAll > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
