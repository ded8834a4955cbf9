import { RequestTemplate } from '@heliograph/http2';
import type { PushMessage } from '@heliograph/core';

import { toApnsPush, type ApnsHeaders } from './payload.ts';

/** A message as APNs wants it, made once for all its deliveries. */
export class PreparedPush {
  readonly headers: ApnsHeaders;
  /** JSON */
  readonly body: Buffer;
  /** The template under the token used last: a message seldom sees another one, or another host. */
  #template: RequestTemplate | undefined;
  #key = '';

  constructor(message: PushMessage, bundle: string) {
    const { headers, payload } = toApnsPush(message, bundle);
    this.headers = headers;
    this.body = Buffer.from(JSON.stringify(payload));
  }

  /** Without a bearer the connection's certificate says who we are. */
  toTemplate(authority: string, bearer: string | undefined): RequestTemplate {
    const key = bearer === undefined ? authority : `${authority} ${bearer}`;
    if (this.#template !== undefined && this.#key === key) return this.#template;
    const { headers } = this;
    this.#key = key;
    this.#template = new RequestTemplate({
      method: 'POST',
      authority,
      shared: [
        ['apns-topic', headers['apns-topic']],
        ['apns-push-type', headers['apns-push-type']],
        ['apns-priority', headers['apns-priority']],
      ],
      own: [
        ['apns-expiration', headers['apns-expiration']],
        ['apns-collapse-id', headers['apns-collapse-id']],
      ],
      secret: bearer === undefined ? [] : [['authorization', `bearer ${bearer}`]],
    });
    return this.#template;
  }
}
