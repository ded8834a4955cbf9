import type { PushProvider } from '../answers/answer.ts';
import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import { parseJson } from '../json.ts';
import type { GivenAnswer } from './given-answer.ts';

export interface ReceivedPushFields {
  readonly provider: PushProvider;
  readonly environment?: ApnsEnvironment;
  readonly projectId?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly token: string;
  /** APNs, proxy: those that say something of the push, by their names on the wire. */
  readonly headers: Readonly<Record<string, string>>;
  /** Proxy: SHA-256 of the client's certificate, in hex with colons. */
  readonly clientFingerprint?: string;
  readonly answer: GivenAnswer;
}

/** One push as it arrived, refused or not. */
export class ReceivedPush {
  readonly provider: PushProvider;
  readonly environment: ApnsEnvironment | undefined;
  readonly projectId: string | undefined;
  readonly at: number;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clientFingerprint: string | undefined;
  readonly answer: GivenAnswer;
  readonly #text: string;

  constructor(fields: ReceivedPushFields, text: string) {
    this.provider = fields.provider;
    this.environment = fields.environment;
    this.projectId = fields.projectId;
    this.at = fields.at;
    this.token = fields.token;
    this.headers = fields.headers;
    this.clientFingerprint = fields.clientFingerprint;
    this.answer = fields.answer;
    this.#text = text;
  }

  /** Answered with 200, or by a proxy with any other 2xx. */
  get accepted(): boolean {
    const { status = 0 } = this.answer;
    return this.provider === 'proxy' ? status >= 200 && status < 300 : status === 200;
  }

  /** What all sends of one delivery have in common, where the wire has it. */
  get deliveryId(): string | undefined {
    return this.headers[this.provider === 'proxy' ? 'idempotency-key' : 'apns-id'];
  }

  /** The JSON that was sent, parsed when asked for; undefined if it was none. */
  get body(): unknown {
    return parseJson(this.#text);
  }

  toJSON(): Record<string, unknown> {
    const { provider, environment, projectId, token, headers, clientFingerprint } = this;
    const at = new Date(this.at).toISOString();
    const { accepted, answer, body } = this;
    const sent = { provider, environment, projectId, at, token, headers, clientFingerprint };
    return { ...sent, accepted, answer, body };
  }
}
