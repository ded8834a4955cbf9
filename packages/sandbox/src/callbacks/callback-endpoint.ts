import { ACCEPT, type Answer } from '../answers/answer.ts';
import { playAnswer } from '../answers/play-answer.ts';
import type { ScriptBook } from '../answers/script-book.ts';
import { isObject, parseJson } from '../json.ts';
import { PROXY_WORDING, statusOfProxyReason } from '../proxy/proxy-answers.ts';
import { toGivenAnswer } from '../recording/given-answer.ts';
import type { Http1Exchange } from '../transport/http1-exchange.ts';
import type { CallbackEvent, CallbackLog } from './callback-log.ts';
import { verifySignature } from './verify-signature.ts';

/** Nonces remembered per key; beyond that the oldest are forgotten. */
const REMEMBERED_NONCES = 100_000;

export interface CallbackDeps {
  readonly scripts: ScriptBook;
  readonly log: CallbackLog;
  readonly keys: CallbackKeys;
  readonly now: () => number;
}

/** The keys that calls may be signed with, and the nonces that were used up. */
export class CallbackKeys {
  readonly #secrets = new Map<string, string>();
  readonly #nonces = new Set<string>();

  add(key: string, secret: string): void {
    this.#secrets.set(key, secret);
  }

  findSecret(key: string): string | undefined {
    return this.#secrets.get(key);
  }

  /** False for one that was used before. */
  use(key: string, nonce: string): boolean {
    const both = JSON.stringify([key, nonce]);
    if (this.#nonces.has(both)) return false;
    const [oldest] = this.#nonces;
    if (this.#nonces.size >= REMEMBERED_NONCES && oldest) this.#nonces.delete(oldest);
    this.#nonces.add(both);
    return true;
  }
}

/** Answers callbacks as a careful customer's server would: 401 to what is not signed, 400 to what holds no events. */
export function createCallbackEndpoint(deps: CallbackDeps): (exchange: Http1Exchange) => void {
  return (exchange) => {
    const { key = '', refusal: distrust } = judge(deps, exchange);
    const events = parseEvents(exchange.body);
    const refusal = distrust ?? (events ? undefined : 'The body holds no events.');
    const answer = refusal === undefined ? choose(deps, key) : refuse(distrust, refusal);
    const given = toGivenAnswer(answer, statusOfProxyReason);
    const accepted = refusal === undefined && isSuccess(given.status);
    deps.log.record(
      {
        at: Date.now(),
        key,
        answer: given,
        ...(refusal !== undefined && { refusal }),
        events: events ?? [],
      },
      accepted,
    );
    playAnswer(exchange, answer, PROXY_WORDING);
  };
}

interface Judgement {
  readonly key?: string;
  readonly nonce?: string;
  readonly refusal?: string;
}

function judge({ keys, now }: CallbackDeps, exchange: Http1Exchange): Judgement {
  const verdict = verifySignature(exchange, (key) => keys.findSecret(key), now());
  if (verdict.refusal !== undefined) return verdict;
  const { key, nonce } = verdict;
  return keys.use(key, nonce) ? verdict : { key, refusal: 'The nonce was used before.' };
}

function choose({ scripts }: CallbackDeps, key: string): Answer {
  return scripts.take({ provider: 'callback', token: key }) ?? ACCEPT;
}

function refuse(distrust: string | undefined, reason: string): Answer {
  return { kind: 'refuse', reason, status: distrust === undefined ? 400 : 401 };
}

function isSuccess(status = 0): boolean {
  return status >= 200 && status < 300;
}

/** Undefined for what is no batch: `{"events": [{"id": …, "type": …, "at": …, "data": {…}}, …]}`. */
function parseEvents(body: string): CallbackEvent[] | undefined {
  const batch = parseJson(body);
  const list = isObject(batch) ? batch['events'] : undefined;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const events = list.flatMap((content: unknown) => parseEvent(content) ?? []);
  return events.length === list.length ? events : undefined;
}

function parseEvent(content: unknown): CallbackEvent | undefined {
  if (!isObject(content)) return undefined;
  const { id, type, at, data } = content;
  if (typeof id !== 'string' || typeof type !== 'string' || !isObject(data)) return undefined;
  if (typeof at !== 'string' || !isIsoDate(at)) return undefined;
  const subject = data['deliveryId'] ?? data['runId'];
  return { id, ...(typeof subject === 'string' && { subject }), at, content };
}

function isIsoDate(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}
