import { Refusal } from '@heliograph/core';
import { findByProviderMessageId, type Db } from '@heliograph/db';

import { ofMessage, type TracedDelivery } from './trace-deliveries.ts';

/** FCM's ids say when it took the push, in µs: `projects/my-app/messages/0:1700000000123456%31bd1c9…`. */
const FCM_ID = /^(?:projects\/[^/]+\/messages\/)?0:(\d{16})%[\w-]+$/;

/** Almost all pushes are sent within seconds of their acceptance, so the nearest span is looked through first. */
const SPANS_MS = [10_000, 100_000, 1_000_000, 24 * 3_600_000];
/** FCM's clock is not ours. */
const CLOCK_DOUBT_MS = 5_000;
const WITHIN_MS = 3_000;

export interface FcmSearch {
  readonly delivery: TracedDelivery | undefined;
  /** The acceptance of what was looked through. */
  readonly from: Date;
  readonly until: Date;
}

/**
 * The delivery of a message that FCM gave this id. No index knows those ids: what was accepted shortly before FCM took the push is read,
 * further back for as long as there is time. Refuses an id that says no time.
 */
export async function findFcmDelivery(
  { db }: { readonly db: Db },
  id: string,
  appId: string | undefined,
): Promise<FcmSearch> {
  const micros = FCM_ID.exec(id)?.[1];
  if (micros === undefined)
    throw new Refusal(
      'invalid_request',
      'providerMessageId is neither an apns-id nor an id that FCM gave.',
    );
  const takenAtMs = Number(micros) / 1000;
  const until = new Date(takenAtMs + CLOCK_DOUBT_MS);
  const startedAt = performance.now();
  let from = until;
  for (const spanMs of SPANS_MS) {
    const leftMs = WITHIN_MS - (performance.now() - startedAt);
    const next = new Date(takenAtMs - spanMs);
    const found = leftMs > 0 ? await findByProviderMessageId(db, id, next, from, leftMs) : 'late';
    if (found === 'late') break;
    from = next;
    if (found === undefined) continue;
    const isTheirs = appId === undefined || found.appId === appId;
    return { delivery: isTheirs ? ofMessage(found) : undefined, from, until };
  }
  return { delivery: undefined, from, until };
}
