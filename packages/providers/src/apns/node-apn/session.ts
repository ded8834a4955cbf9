import type { SecureContext } from 'node:tls';
import type { Outcome, Requeue } from '@heliograph/core';
import { withDeadline } from '../../deadline.ts';
import { InFlight } from '../../in-flight.ts';
import type { Attempt, ProviderLog } from '../../push-provider.ts';
import type { ClientLoad } from '../../shared-clients.ts';
import { toUnprocessed } from '../answers.ts';
import { ApnsConnection, type ApnsRequest } from './connection.ts';
import type { SigningKey } from '../signing-key.ts';

/** The fewest streams that APNs was seen to allow once it trusts a connection. */
export const APNS_MAX_IN_FLIGHT = 500;
/** Silence after so many requests in a row is the connection's: a NAT that forgot it answers nothing, for ever. */
const MAX_SILENT_REQUESTS = 3;

export interface ApnsSessionOptions {
  readonly url: URL;
  readonly trust: SecureContext;
  /** Undefined where the connection shows a certificate instead: that is in `trust`. */
  readonly key: SigningKey | undefined;
  readonly deadlineMs: number;
  readonly log: ProviderLog;
}

/** A connection, and how many requests in a row it left without an answer. */
interface Current {
  readonly connection: ApnsConnection;
  readonly inFlight: InFlight;
  silent: number;
}

type Unplaced = Omit<Attempt, 'endpoint'>;

/** The way to one host of APNs with one key, which the apps of a team share, or with one certificate. */
export class ApnsSession {
  readonly #options: ApnsSessionOptions;
  readonly #inFlight = new InFlight(APNS_MAX_IN_FLIGHT);
  /** Connections replaced, still waiting for answers. */
  readonly #retiring = new Set<Promise<void>>();
  /** All that are not closed. */
  readonly #connections = new Set<ApnsConnection>();
  #current: Current | undefined;
  #closing = false;

  constructor(options: ApnsSessionOptions) {
    this.#options = options;
  }

  get busy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** Of the lanes it knows nothing. */
  get load(): ClientLoad {
    return { sessions: this.#connections.size, message: this.#inFlight.size, campaign: 0 };
  }

  async send(request: ApnsRequest, signal: AbortSignal): Promise<Attempt> {
    const { url, deadlineMs } = this.#options;
    const endpoint = url.host;
    if (this.#closing) return { outcome: toUnprocessed('closing'), endpoint };

    let used: Current | undefined;
    const attempt = await withDeadline<Unplaced>(
      {
        ms: deadlineMs,
        signal,
        late: (lateness) => {
          if (!used) return { outcome: toUnprocessed(lateness) };
          if (lateness === 'timeout') this.#noteSilence(used);
          return { outcome: { kind: 'ambiguous', reason: lateness } };
        },
      },
      (deadline) =>
        this.#inFlight.run(async () => {
          if (deadline.aborted) return { outcome: toUnprocessed('timeout') };
          used = this.#current ??= this.#open();
          return await this.#sendOver(used, request);
        }),
    );
    return { ...attempt, endpoint };
  }

  /** Waits for the answers still owed. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#inFlight.drained();
    if (this.#current) this.#retire(this.#current);
    this.#current = undefined;
    await Promise.all(this.#retiring);
  }

  /** Ends at once what is under way. */
  abandon(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async #sendOver(current: Current, request: ApnsRequest): Promise<Unplaced> {
    const attempt = await current.inFlight.run(() => current.connection.send(request));
    if (attempt.status === undefined) return attempt;

    current.silent = 0;
    if (wantsOtherConnection(attempt.outcome)) this.#replace(current, attempt.outcome.reason);
    return attempt;
  }

  #noteSilence(current: Current): void {
    current.silent += 1;
    if (current.silent >= MAX_SILENT_REQUESTS) this.#replace(current, 'silence');
  }

  #open(): Current {
    const { url, trust, key, deadlineMs } = this.#options;
    const connection = new ApnsConnection({ url, trust, key, requestTimeoutMs: deadlineMs });
    this.#connections.add(connection);
    return { connection, inFlight: new InFlight(Number.POSITIVE_INFINITY), silent: 0 };
  }

  /** Only by the first of many answers that ask for it: the others came from the connection that is gone already. */
  #replace(current: Current, reason: string): void {
    if (this.#current !== current) return;
    this.#current = undefined;
    this.#options.log.info({ host: this.#options.url.host, reason }, 'APNs connection replaced');
    this.#retire(current);
  }

  #retire({ connection, inFlight }: Current): void {
    const retired = inFlight.drained().then(() => connection.close());
    this.#retiring.add(retired);
    void retired.finally(() => {
      this.#retiring.delete(retired);
      this.#connections.delete(connection);
    });
  }
}

/** node-apn opens a new connection by itself after a GOAWAY; here it is an answer that asks for one. */
function wantsOtherConnection(outcome: Outcome): outcome is Requeue {
  return outcome.kind === 'requeue' && outcome.remedy !== 'new_token';
}
