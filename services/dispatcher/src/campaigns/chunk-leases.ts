import { renewChunkLeases, type ChunkLease, type Db } from '@heliograph/db';

import { createLeaseBook } from '../send/lease-book.ts';

/** The chunks that this process holds. */
export interface ChunkLeases {
  hold(lease: ChunkLease, askedAtMs: number): void;
  /** Whether a send that may take `forMs` would end within the lease. */
  outlasts(lease: ChunkLease, forMs: number): boolean;
  drop(lease: ChunkLease): void;
  close(): void;
}

/** Leases of chunks, kept like those of messages' deliveries. */
export function createChunkLeases(deps: {
  db: Db;
  clockMs: () => number;
  onError: (error: unknown) => void;
  leaseMs: number;
}): ChunkLeases {
  const book = createLeaseBook({
    ...deps,
    async renew(held, leaseMs) {
      const leases = held.map(({ id, leaseEpoch }) => ({ ...fromKey(id), leaseEpoch }));
      const renewed = await renewChunkLeases(deps.db, leases, leaseMs);
      return held.filter((_, n) => renewed[n] === true).map(({ id }) => id);
    },
  });
  return {
    hold: (lease, askedAtMs) => book.hold([toHeld(lease)], askedAtMs),
    outlasts: (lease, forMs) => book.outlasts(toHeld(lease), forMs),
    drop: (lease) => book.drop(toHeld(lease)),
    close: () => book.close(),
  };
}

function toHeld({ runId, ordinal, leaseEpoch }: ChunkLease) {
  return { id: `${runId}/${ordinal}`, leaseEpoch };
}

function fromKey(key: string): Pick<ChunkLease, 'runId' | 'ordinal'> {
  const [runId = '', ordinal = ''] = key.split('/');
  return { runId, ordinal: Number(ordinal) };
}
