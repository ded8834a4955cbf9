import {
  KeyNotAtHand,
  toRetryDelayMs,
  type CallbackPosition,
  type SecretBox,
} from '@heliograph/core';
import {
  dropResend,
  failCallback,
  findEndOfOldEvents,
  listCallbackEvents,
  listEventsOfCall,
  listWaitingCalls,
  moveCallback,
  releaseCallback,
  succeedCallback,
  toCallbackSecretPlace,
  toDeveloperSecretPlace,
  type CallbackCall,
  type CallbackEvent,
  type ClaimedCallback,
  type Db,
  type MadeCall,
} from '@heliograph/db';
import { inSpan, type Tracing } from '@heliograph/runtime';
import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';

import type { CallbackOutcome } from '../metrics/dispatcher-metrics.ts';
import { MAX_EVENTS, toBatch, type CallbackBatch } from './batch.ts';
import {
  postCallback,
  POST_DEADLINE_MS,
  type CallbackRequest,
  type PostOutcome,
} from './post-callback.ts';
import { signCallback } from './sign-callback.ts';

/** So long a dispatcher that dies delays the endpoints that it had claimed. */
export const CALLBACK_LEASE_MS = 30_000;
/** A lease must outlast a request by this much, so that its success can be written under it. */
const RECORD_MARGIN_MS = 3_000;
/** After that an endpoint gives its place up to others that wait, and waits itself. */
const MAX_TURN_MS = 10_000;

const DAY_MS = 24 * 3_600_000;
/** An event is tried for that long. */
const TRIED_FOR_MS = DAY_MS;
/** An endpoint that took nothing for that long is suspended. */
const GIVE_UP_AFTER_MS = 5 * DAY_MS;
/** Where we lack a secrets key, another process may have it: no fault of the endpoint's. */
const LOCKED_WAIT_MS = 10_000;
/** So many old events are looked at by one statement. */
const MAX_PASSED_OVER = 10_000;

export interface CallbackServerDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly agent: Dispatcher;
  readonly log: Logger;
  /** Milliseconds that never fall behind. */
  readonly clockMs: () => number;
  readonly now: () => Date;
  readonly random: () => number;
  readonly tracing?: Tracing | undefined;
  /** So many events were told, or not. */
  readonly onEvents?: (outcome: CallbackOutcome, count: number) => void;
  /** Aborted when no more requests are to be made. */
  readonly stopping: AbortSignal;
  /** Aborted when those under way are given up. */
  readonly abandoning: AbortSignal;
  /** Tests only: how long a lease lasts, and a request. */
  readonly leaseMs?: number;
  readonly deadlineMs?: number;
}

/**
 * Tells an endpoint what there is, batch by batch, for a turn or until something fails. `askedAtMs`: when the claim began. The position
 * moves after a success only, so what is not known to be taken is told again, with the same ids. Never rejects.
 */
export async function serveCallback(
  deps: CallbackServerDeps,
  claimed: ClaimedCallback,
  askedAtMs: number,
): Promise<void> {
  try {
    await new Turn(deps, claimed, askedAtMs).run();
  } catch (error) {
    // Its lease runs out by itself.
    deps.log.warn({ err: error, callbackId: claimed.id }, 'callback not served');
  }
}

type OpenedSecret =
  | { readonly kind: 'opened'; readonly secret: string }
  /** For want of a key that another process may have. */
  | { readonly kind: 'locked' }
  | { readonly kind: 'unreadable' };

const LOCKED: OpenedSecret = { kind: 'locked' };
const UNREADABLE: OpenedSecret = { kind: 'unreadable' };

class Turn {
  readonly #deps: CallbackServerDeps;
  readonly #claimed: ClaimedCallback;
  readonly #url: URL;
  readonly #leaseMs: number;
  readonly #deadlineMs: number;
  readonly #askedAtMs: number;
  #position: CallbackPosition;
  #failures: number;
  /** By `clockMs`; never later than the database thinks. */
  #leasedUntilMs: number;

  constructor(deps: CallbackServerDeps, claimed: ClaimedCallback, askedAtMs: number) {
    this.#deps = deps;
    this.#claimed = claimed;
    this.#url = new URL(claimed.url);
    this.#leaseMs = deps.leaseMs ?? CALLBACK_LEASE_MS;
    this.#deadlineMs = deps.deadlineMs ?? POST_DEADLINE_MS;
    this.#askedAtMs = askedAtMs;
    this.#position = { xid: claimed.positionXid, id: claimed.positionId };
    this.#failures = claimed.failures;
    this.#leasedUntilMs = askedAtMs + this.#leaseMs;
  }

  async run(): Promise<void> {
    const { db } = this.#deps;
    if (this.#claimed.hasResends && !(await this.#tellAgain())) return;
    while (!this.#isOver()) {
      const events = await listCallbackEvents(db, this.#claimed, this.#position, MAX_EVENTS);
      const [first] = events;
      if (first === undefined) break;
      const goesOn = this.#isOld(first)
        ? await this.#passOverOld()
        : await this.#tell(toBatch([first, ...events.slice(1)], this.#claimed, this.#maxEvents()));
      if (!goesOn) return;
    }
    await releaseCallback(db, this.#claimed);
  }

  #isOver(): boolean {
    const { clockMs, stopping } = this.#deps;
    return stopping.aborted || clockMs() >= this.#askedAtMs + MAX_TURN_MS;
  }

  /** What operators want told again, each as it was. Answers whether there may be more to tell. */
  async #tellAgain(): Promise<boolean> {
    const { db, log } = this.#deps;
    for (const call of await listWaitingCalls(db, this.#claimed.id)) {
      if (this.#isOver()) break;
      const [first, ...others] = await listEventsOfCall(db, this.#claimed, call);
      const batch = first && toBatch([first, ...others], this.#claimed, MAX_EVENTS);
      if (batch?.events !== call.events) {
        log.warn({ callbackId: this.#claimed.id, callId: call.id }, 'callback events are gone');
        await dropResend(db, call.id);
      } else if (!(await this.#tell(batch, call))) return false;
    }
    return true;
  }

  /** A receiver that failed gets less at once: one event that it can't take is not to keep all others back for a day. */
  #maxEvents(): number {
    return Math.max(1, Math.floor(MAX_EVENTS / 2 ** this.#failures));
  }

  /** Answers whether there may be more. What is told `again` moves nothing. */
  async #tell(batch: CallbackBatch, again?: CallbackCall): Promise<boolean> {
    if (batch.events === 0) return this.#move(batch.end, 0);
    if (!(await this.#ensureLease())) return false;

    const { events, end } = batch;
    const call: MadeCall =
      again === undefined
        ? { events, after: this.#position, end }
        : {
            waitingId: again.id,
            events,
            after: { xid: again.afterXid, id: again.afterId },
            end,
          };
    const { key, secret } = this.#claimed;
    const opened = secret === null ? UNREADABLE : this.#open(secret);
    if (opened.kind === 'locked') {
      await releaseCallback(this.#deps.db, this.#claimed, LOCKED_WAIT_MS);
      return false;
    }
    if (key === null || opened.kind === 'unreadable') {
      await this.#fail({ kind: 'refused', result: 'secret unreadable', isGone: false }, 0, call);
      return false;
    }

    const startedAtMs = this.#deps.clockMs();
    const { body } = batch;
    const headers = signCallback({
      url: this.#url,
      body,
      key,
      secret: opened.secret,
      now: this.#deps.now(),
    });
    const outcome = await this.#post({ url: this.#url, headers, body }, batch.events);
    const answeredAtMs = this.#deps.clockMs();
    const latencyMs = answeredAtMs - startedAtMs;
    this.#deps.onEvents?.(outcome.kind === 'taken' ? 'told' : 'not_taken', batch.events);
    if (outcome.kind !== 'taken') {
      await this.#fail(outcome, latencyMs, call);
      return false;
    }
    const { result } = outcome;
    const last = { result, latencyMs, leaseMs: this.#leaseMs, call };
    const position = again === undefined ? end : this.#position;
    this.#failures = 0;
    return this.#keep(answeredAtMs, position, () =>
      succeedCallback(this.#deps.db, this.#claimed, position, last),
    );
  }

  /** Nothing of our trace goes to the receiver: the request is signed as documented, and who traces us is none of its business. */
  #post(request: CallbackRequest, events: number): Promise<PostOutcome> {
    const { tracing, agent, abandoning } = this.#deps;
    const facts = {
      'http.request.method': 'POST',
      'server.address': request.url.hostname,
      'heliograph.callback.id': this.#claimed.id,
      'heliograph.callback.events': events,
    };
    return inSpan(tracing, 'POST callback', { kind: 'client', facts }, async (span) => {
      const outcome = await postCallback(agent, request, abandoning, this.#deadlineMs);
      if (outcome.kind === 'abandoned') span?.end('abandoned');
      else span?.note({ 'heliograph.callback.result': outcome.result });
      if (outcome.kind === 'refused') span?.end(outcome.result);
      return outcome;
    });
  }

  async #fail(
    outcome: Exclude<PostOutcome, { kind: 'taken' }>,
    latencyMs: number,
    call: MadeCall,
  ): Promise<void> {
    const { db, log, random } = this.#deps;
    const { id, url } = this.#claimed;
    // Nobody knows whether it was taken; it is nobody's fault.
    if (outcome.kind === 'abandoned') return releaseCallback(db, this.#claimed);

    const { result, isGone, retryAfterMs } = outcome;
    const delayMs = toRetryDelayMs('callback', this.#failures + 1, retryAfterMs, random);
    const suspended = await failCallback(db, this.#claimed, {
      result,
      latencyMs,
      call,
      delayMs,
      isGone,
      giveUpAfterMs: GIVE_UP_AFTER_MS,
    });
    const { origin } = new URL(url);
    if (suspended) log.error({ callbackId: id, origin, result }, 'callback suspended');
    else if (this.#failures === 0) log.warn({ callbackId: id, origin, result }, 'callback failed');
  }

  /** It was tried for a day. */
  #isOld({ createdAt }: CallbackEvent): boolean {
    const before = this.#oldBefore();
    return createdAt < before && this.#claimed.triedFrom < before;
  }

  #oldBefore(): Date {
    return new Date(this.#claimed.claimedAt.getTime() - TRIED_FOR_MS);
  }

  /** Answers whether there may be more. */
  async #passOverOld(): Promise<boolean> {
    const { db, log } = this.#deps;
    const end = await findEndOfOldEvents(
      db,
      this.#claimed,
      this.#position,
      this.#oldBefore(),
      MAX_PASSED_OVER,
    );
    if (end === undefined) return true;
    const { id } = this.#claimed;
    this.#deps.onEvents?.('given_up', end.count);
    log.error({ callbackId: id, events: end.count }, 'callback events given up after a day');
    return this.#move(end, end.count);
  }

  async #ensureLease(): Promise<boolean> {
    const neededMs = this.#deadlineMs + RECORD_MARGIN_MS;
    if (this.#deps.clockMs() + neededMs < this.#leasedUntilMs) return true;
    return this.#move(this.#position, 0);
  }

  #move(to: CallbackPosition, passedOver: number): Promise<boolean> {
    const lasting = { leaseMs: this.#leaseMs, passedOver };
    return this.#keep(this.#deps.clockMs(), to, () =>
      moveCallback(this.#deps.db, this.#claimed, to, lasting),
    );
  }

  /** What moves the position renews the lease. Answers false where it was lost. */
  async #keep(atMs: number, to: CallbackPosition, write: () => Promise<boolean>): Promise<boolean> {
    const isHeld = await write();
    this.#position = to;
    this.#leasedUntilMs = atMs + this.#leaseMs;
    return isHeld;
  }

  #open(secret: { readonly id: string; readonly sealed: string }): OpenedSecret {
    const { developerKeyRef } = this.#claimed;
    const place =
      developerKeyRef === 0 ? toCallbackSecretPlace(secret.id) : toDeveloperSecretPlace(secret.id);
    try {
      const sealed = Buffer.from(secret.sealed, 'base64');
      return { kind: 'opened', secret: this.#deps.secrets.open(sealed, place).toString('utf8') };
    } catch (error) {
      this.#deps.log.error({ err: error, callbackId: this.#claimed.id }, 'secret not opened');
      return error instanceof KeyNotAtHand ? LOCKED : UNREADABLE;
    }
  }
}
