import type { HeldLease } from '@heliograph/db';

/** How long a lease lasts by default unless renewed, ms. A dispatcher that dies delays its deliveries by that much. */
export const LEASE_MS = 60_000;
const RENEWALS_PER_LEASE = 4;

interface Entry {
  readonly leaseEpoch: number;
  /** By the clock of `clockMs`; never later than the database thinks. */
  until: number;
}

/**
 * The leases that this process holds. It errs on the safe side: a lease counts from before the statement that took it was sent, so
 * a process that slept, or was stopped, never believes in one that the database has given to somebody else.
 */
export interface LeaseBook {
  /** Notes leases taken by a claim that began at `askedAtMs`. */
  hold(leases: readonly HeldLease[], askedAtMs: number): void;
  /** Whether a send that may take `forMs` would end within this very lease: one claimed anew here is another's. */
  outlasts(lease: HeldLease, forMs: number): boolean;
  /** The delivery was recorded or given back. */
  drop(lease: HeldLease): void;
  readonly size: number;
  close(): void;
}

export function createLeaseBook(deps: {
  /** Lets the leases last `leaseMs` from now; answers the ids of those that were still held. */
  renew: (held: readonly HeldLease[], leaseMs: number) => Promise<readonly string[]>;
  clockMs: () => number;
  onError: (error: unknown) => void;
  leaseMs: number;
}): LeaseBook {
  const { leaseMs } = deps;
  const entries = new Map<string, Entry>();
  let renewing = false;

  async function renewAll(): Promise<void> {
    if (renewing || entries.size === 0) return;
    renewing = true;
    try {
      const askedAt = deps.clockMs();
      const held = Array.from(entries, ([id, { leaseEpoch }]) => ({ id, leaseEpoch }));
      const renewed = new Set(await deps.renew(held, leaseMs));
      for (const { id, leaseEpoch } of held) {
        const entry = entries.get(id);
        // What was not renewed is lost or done; what was claimed anew meanwhile is another lease.
        if (entry?.leaseEpoch === leaseEpoch && renewed.has(id)) entry.until = askedAt + leaseMs;
      }
    } catch (error) {
      // The leases run out by themselves if this goes on, and no send is opened on one that does.
      deps.onError(error);
    } finally {
      renewing = false;
    }
  }

  const timer = setInterval(() => void renewAll(), leaseMs / RENEWALS_PER_LEASE);

  return {
    hold(leases, askedAtMs) {
      for (const { id, leaseEpoch } of leases)
        entries.set(id, { leaseEpoch, until: askedAtMs + leaseMs });
    },
    outlasts({ id, leaseEpoch }, forMs) {
      const entry = entries.get(id);
      return entry?.leaseEpoch === leaseEpoch && entry.until - deps.clockMs() >= forMs;
    },
    drop({ id, leaseEpoch }) {
      if (entries.get(id)?.leaseEpoch === leaseEpoch) entries.delete(id);
    },
    get size() {
      return entries.size;
    },
    close: () => clearInterval(timer),
  };
}
