import { claimDue, type ClaimedDelivery, type Db } from '@heliograph/db';
import type { Tracing } from '@heliograph/runtime';

import { noteClaim } from './delivery-spans.ts';
import type { LeaseBook } from './lease-book.ts';

/** Takes leases on what is due of these deliveries. */
export type Claim = (ids: readonly string[]) => Promise<readonly ClaimedDelivery[]>;

interface Waiting {
  readonly ids: readonly string[];
  readonly resolve: (claimed: readonly ClaimedDelivery[]) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_IDS_PER_STATEMENT = 1000;
/** So many statements may be under way at once: the second gathers while the first runs. */
const MAX_CLAIMS_IN_FLIGHT = 2;

/** Jobs that come while a claim is under way are claimed together by the next one; on an idle server each is claimed at once. */
export function createClaimer(deps: {
  db: Db;
  leases: LeaseBook;
  clockMs: () => number;
  leaseMs: number;
  tracing?: Tracing | undefined;
}): Claim {
  const isTraced = deps.tracing !== undefined;
  const waiting: Waiting[] = [];
  let claimsInFlight = 0;

  async function claimGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const askedAt = deps.clockMs();
      const ids = group.flatMap((one) => one.ids);
      const startedAt = new Date();
      const claimed = await claimDue(deps.db, ids, deps.leaseMs, { isTraced });
      noteClaim(deps.tracing, claimed, startedAt);
      deps.leases.hold(claimed, askedAt);
      const byId = new Map(claimed.map((delivery) => [delivery.id, delivery]));
      for (const { ids: own, resolve } of group) resolve(takeOwn(byId, own));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  function claimNext(): void {
    if (claimsInFlight === MAX_CLAIMS_IN_FLIGHT || waiting.length === 0) return;
    claimsInFlight += 1;
    void claimGroup(takeGroup(waiting)).finally(() => {
      claimsInFlight -= 1;
      claimNext();
    });
  }

  return (ids) =>
    new Promise((resolve, reject) => {
      waiting.push({ ids, resolve, reject });
      claimNext();
    });
}

/** What was announced by two jobs of a group is the first one's. */
function takeOwn(byId: Map<string, ClaimedDelivery>, ids: readonly string[]): ClaimedDelivery[] {
  return ids.flatMap((id) => {
    const delivery = byId.get(id);
    byId.delete(id);
    return delivery === undefined ? [] : [delivery];
  });
}

function takeGroup(waiting: Waiting[]): Waiting[] {
  let ids = 0;
  let count = 0;
  for (const one of waiting) {
    if (count > 0 && ids + one.ids.length > MAX_IDS_PER_STATEMENT) break;
    ids += one.ids.length;
    count += 1;
  }
  return waiting.splice(0, count);
}
