import type { Push, PushFeed, Attempt } from '../../push-provider.ts';
import { feedBySends } from '../../feed-by-sends.ts';
import type { ClientLoad } from '../../shared-clients.ts';
import { toUnprocessed } from '../answers.ts';
import type { ApnsClient, ToApnsRequest } from '../client.ts';
import { APNS_MAX_IN_FLIGHT, ApnsSession, type ApnsSessionOptions } from './session.ts';

/** Sends to APNs through node-apn: a safety switch, and what ours is compared with. */
export class NodeApnClient implements ApnsClient {
  readonly #session: ApnsSession;
  readonly #abandoning = new AbortController();
  #closing = false;

  constructor(options: ApnsSessionOptions) {
    this.#session = new ApnsSession(options);
  }

  get busy(): boolean {
    return this.#session.busy;
  }

  get load(): ClientLoad {
    return this.#session.load;
  }

  async send(push: Push, toRequest: ToApnsRequest): Promise<Attempt> {
    const request = toRequest(push);
    if ('outcome' in request) return request;
    const { token, deliveryId, prepared } = request;
    const headers = { ...prepared.headers, 'apns-id': deliveryId };
    const body = prepared.body.toString();
    return await this.#session.send({ token, headers, body }, this.#abandoning.signal);
  }

  feed<P extends Push>(feed: PushFeed<P>, toRequest: ToApnsRequest): Promise<void> {
    return feedBySends(feed, {
      limit: APNS_MAX_IN_FLIGHT,
      send: (push) => this.send(push, toRequest),
      findStop: () => (this.#closing ? toUnprocessed('closing') : undefined),
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    return this.#session.close();
  }

  abandon(): void {
    this.#closing = true;
    this.#abandoning.abort();
    this.#session.abandon();
  }
}
