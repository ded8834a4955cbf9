import { readFileSync } from 'node:fs';
import type { SecureClientSessionOptions } from 'node:http2';

import { Notification, Provider, type ProviderOptions } from '@parse/node-apn';

import type { PushClient, PushTarget } from './push-client.ts';

/** `@parse/node-apn`, which connects with the first push. */
export async function openNodeApnClient(target: PushTarget): Promise<PushClient> {
  const { hostname, port } = new URL(target.url);
  const { keyId, teamId, privateKeyBase64 } = target.credentials;
  const options: ProviderOptions & SecureClientSessionOptions = {
    token: { key: Buffer.from(privateKeyBase64, 'base64'), keyId, teamId },
    address: hostname,
    port: Number(port),
    ca: [readFileSync(target.caFile)],
  };
  const provider = new Provider(options);

  return {
    send(pushToken, apnsId, onStatus) {
      const notification = new Prepared({ ...target.headers, 'apns-id': apnsId }, target.body);
      void provider
        .send(notification, pushToken)
        .then(({ sent }) => onStatus(sent.length === 1 ? 200 : 0));
      return true;
    },
    onRoom: () => undefined,
    close: () => provider.shutdown(),
  };
}

/** All that is asked of a notification; its JSON is made once per message, as with the others. */
class Prepared extends Notification {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: string;

  constructor(headers: Readonly<Record<string, string>>, body: string) {
    super();
    this.#headers = headers;
    this.#body = body;
  }

  headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  compile(): string {
    return this.#body;
  }
}
