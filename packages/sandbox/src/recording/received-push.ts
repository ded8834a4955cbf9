import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import { parseJson } from '../json.ts';
import type { GivenAnswer } from './given-answer.ts';

export interface ReceivedPushFields {
  readonly provider: 'apns' | 'fcm';
  readonly environment?: ApnsEnvironment;
  readonly projectId?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly token: string;
  /** APNs: those that say something of the push, by their names on the wire. */
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: GivenAnswer;
}

/** One push as it arrived, refused or not. */
export class ReceivedPush {
  readonly provider: 'apns' | 'fcm';
  readonly environment: ApnsEnvironment | undefined;
  readonly projectId: string | undefined;
  readonly at: number;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: GivenAnswer;
  readonly #text: string;

  constructor(fields: ReceivedPushFields, text: string) {
    this.provider = fields.provider;
    this.environment = fields.environment;
    this.projectId = fields.projectId;
    this.at = fields.at;
    this.token = fields.token;
    this.headers = fields.headers;
    this.answer = fields.answer;
    this.#text = text;
  }

  /** Answered with 200. */
  get accepted(): boolean {
    return this.answer.status === 200;
  }

  /** The JSON that was sent, parsed when asked for; undefined if it was none. */
  get body(): unknown {
    return parseJson(this.#text);
  }

  toJSON(): Record<string, unknown> {
    const { provider, environment, projectId, at, token, headers, answer, accepted, body } = this;
    const iso = new Date(at).toISOString();
    return { provider, environment, projectId, at: iso, token, headers, accepted, answer, body };
  }
}
