import type { PushProvider } from '../answers/answer.ts';
import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import type { ReceivedPush } from './received-push.ts';

export interface ReceivedFilter {
  readonly provider?: PushProvider;
  readonly environment?: ApnsEnvironment;
  readonly projectId?: string;
  /** The whole push token. */
  readonly token?: string;
  readonly apnsTopic?: string;
  readonly apnsId?: string;
  readonly idempotencyKey?: string;
  readonly accepted?: boolean;
}

/** Since the start or the last `clear`, whatever has left the ring since. */
export interface Totals {
  /** All that arrived, refused ones too. */
  readonly count: number;
  /** Those answered with 200, or by a proxy with any 2xx. */
  readonly accepted: number;
  /** Accepted ones whose apns-id (proxy: idempotency-key) was accepted before and still is among the kept records. */
  readonly duplicates: number;
}

interface Waiter {
  readonly onPush: (push: ReceivedPush) => void;
}

/** Keeps the last `keep` pushes, and counts all of them. */
export class Recorder {
  readonly #keep: number;
  #ring: ReceivedPush[] = [];
  #oldest = 0;
  #totals = emptyTotals();
  readonly #acceptedByToken = new Map<string, number>();
  readonly #acceptedById = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();

  constructor(keep: number) {
    this.#keep = keep;
  }

  record(push: ReceivedPush): void {
    const totals = this.#totals[push.provider];
    totals.count += 1;
    if (push.accepted) {
      totals.accepted += 1;
      const id = push.deliveryId;
      if (id !== undefined && this.#acceptedById.has(id)) totals.duplicates += 1;
    }
    if (this.#keep > 0) this.#store(push);
    for (const waiter of this.#waiters) waiter.onPush(push);
  }

  /** Oldest first. */
  list(filter: ReceivedFilter = {}): ReceivedPush[] {
    const inOrder = [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
    return inOrder.filter((push) => matches(push, filter));
  }

  totals(provider: PushProvider): Totals {
    return { ...this.#totals[provider] };
  }

  /** Accepted pushes to a token, among the kept ones. */
  acceptedFor(token: string): number {
    return this.#acceptedByToken.get(token) ?? 0;
  }

  /** Resolves with all pushes of the filter, once there are `n` or one of them fits; rejects after the timeout. */
  waitFor(
    wanted: number | ((push: ReceivedPush) => boolean),
    filter: ReceivedFilter,
    timeoutMs: number,
  ): Promise<ReceivedPush[]> {
    const present = this.list(filter);
    let missing = typeof wanted === 'number' ? wanted - present.length : 1;
    if (typeof wanted === 'function' && present.some(wanted)) missing = 0;
    if (missing <= 0) return Promise.resolve(present);

    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        onPush: (push) => {
          if (!matches(push, filter)) return;
          if (typeof wanted === 'number' || wanted(push)) missing -= 1;
          if (missing > 0) return;
          finish();
          resolve(this.list(filter));
        },
      };
      const timer = setTimeout(() => {
        finish();
        const seen = this.list(filter).length;
        reject(
          new Error(`The awaited push did not arrive in ${timeoutMs} ms; ${seen} others did.`),
        );
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
    });
  }

  clear(): void {
    this.#ring = [];
    this.#oldest = 0;
    this.#totals = emptyTotals();
    this.#acceptedByToken.clear();
    this.#acceptedById.clear();
  }

  #store(push: ReceivedPush): void {
    if (push.accepted) this.#count(push, 1);
    if (this.#ring.length < this.#keep) {
      this.#ring.push(push);
      return;
    }
    const evicted = this.#ring[this.#oldest];
    if (evicted?.accepted) this.#count(evicted, -1);
    this.#ring[this.#oldest] = push;
    this.#oldest = (this.#oldest + 1) % this.#keep;
  }

  #count(push: ReceivedPush, change: 1 | -1): void {
    add(this.#acceptedByToken, push.token, change);
    const id = push.deliveryId;
    if (id !== undefined) add(this.#acceptedById, id, change);
  }
}

function emptyTotals() {
  return {
    apns: { count: 0, accepted: 0, duplicates: 0 },
    fcm: { count: 0, accepted: 0, duplicates: 0 },
    proxy: { count: 0, accepted: 0, duplicates: 0 },
  };
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function matches(push: ReceivedPush, filter: ReceivedFilter): boolean {
  const { headers } = push;
  return (
    (filter.provider ?? push.provider) === push.provider &&
    (filter.environment ?? push.environment) === push.environment &&
    (filter.projectId ?? push.projectId) === push.projectId &&
    (filter.token ?? push.token) === push.token &&
    (filter.apnsTopic ?? headers['apns-topic']) === headers['apns-topic'] &&
    (filter.apnsId ?? headers['apns-id']) === headers['apns-id'] &&
    (filter.idempotencyKey ?? headers['idempotency-key']) === headers['idempotency-key'] &&
    (filter.accepted ?? push.accepted) === push.accepted
  );
}
