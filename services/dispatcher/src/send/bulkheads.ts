/**
 * Lets the work of each scope go on by itself: whoever starts it need not wait for it, so that a scope that is slow, or hangs, keeps
 * nobody else from starting theirs. Where a scope has much under way already, or all of them together have, it has to be waited for; a
 * slow one has few who wait for it, and turns the others away.
 */
export interface Bulkheads {
  /**
   * Runs the work, which must not reject. Resolves at once while there is room in its scope, else when the work is done. Answers false,
   * and runs nothing, where the scope is full and slow.
   */
  run(scope: string, work: () => Promise<void>): Promise<boolean>;
  /** Resolves when nothing is under way. */
  drained(): Promise<void>;
}

export interface BulkheadLimits {
  /** What a provider takes at once. Whatever is beyond that would only be held up, should this process die. */
  readonly perScope: number;
  /** Bounds memory, whatever the number of scopes. */
  readonly inAll: number;
  /** So much of a slow scope is waited for at once. */
  readonly waitedFor: number;
  /** Work that takes longer makes its scope a slow one, ms. */
  readonly slowMs: number;
}

const LIMITS: BulkheadLimits = { perScope: 1_000, inAll: 50_000, waitedFor: 4, slowMs: 3_000 };
/** How much the latest work says about how long the next one will take. */
const WEIGHT = 0.1;

interface Scope {
  /** When each began that is under way, the oldest first. */
  readonly running: Set<{ readonly startedMs: number }>;
  waitedFor: number;
  /** How long work takes, the latest counting most. */
  usualMs: number;
}

export function createBulkheads(clockMs: () => number, limits: BulkheadLimits = LIMITS): Bulkheads {
  const scopes = new Map<string, Scope>();
  let inAll = 0;
  let idle: (() => void)[] = [];

  function open(name: string): Scope {
    const kept = scopes.get(name);
    if (kept !== undefined) return kept;
    const made: Scope = { running: new Set(), waitedFor: 0, usualMs: 0 };
    scopes.set(name, made);
    return made;
  }

  function isSlow({ running, usualMs }: Scope): boolean {
    const [oldest] = running;
    const oldestMs = oldest === undefined ? 0 : clockMs() - oldest.startedMs;
    return Math.max(usualMs, oldestMs) > limits.slowMs;
  }

  async function runCounted(name: string, scope: Scope, work: () => Promise<void>): Promise<void> {
    const one = { startedMs: clockMs() };
    scope.running.add(one);
    inAll += 1;
    try {
      await work();
    } finally {
      scope.running.delete(one);
      scope.usualMs += (clockMs() - one.startedMs - scope.usualMs) * WEIGHT;
      if (scope.running.size === 0) scopes.delete(name);
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
    async run(name, work) {
      const scope = open(name);
      const hasRoom = inAll < limits.inAll && scope.running.size < limits.perScope;
      if (!hasRoom && scope.waitedFor >= limits.waitedFor && isSlow(scope)) return false;
      const done = runCounted(name, scope, work);
      if (hasRoom) return true;
      scope.waitedFor += 1;
      await done;
      scope.waitedFor -= 1;
      return true;
    },
    async drained() {
      if (inAll > 0) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
