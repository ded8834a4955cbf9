import { Buffer } from 'node:buffer';
import { ACCEPT } from '../answers/answer.ts';
import { playAnswer } from '../answers/play-answer.ts';
import type { ScriptBook } from '../answers/script-book.ts';
import type { TokenFaults } from '../answers/token-faults.ts';
import { isObject, parseJson } from '../json.ts';
import { toGivenAnswer, type GivenAnswer } from '../recording/given-answer.ts';
import { ReceivedPush } from '../recording/received-push.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Exchange, HttpAnswer } from '../transport/exchange.ts';
import { findBodyMistake } from './body-rules.ts';
import {
  PROXY_WORDING,
  statusOfProxyReason,
  toCertificatePage,
  toRefusal,
} from './proxy-answers.ts';

/** What a customer has chosen shows in the path: Basic is required, and the reference of 2017 holds. */
const PATH = /^\/(?<basic>basic\/)?(?<y2017>2017\/)?push(?:\?|$)/;

/** No provider takes more than 4 KiB, and we send no more than this. */
const MAX_BODY_BYTES = 16_384;

const KEPT_HEADERS = [
  'content-type',
  'accept',
  'user-agent',
  'x-request-id',
  'idempotency-key',
] as const;

export interface ProxyDeps {
  readonly scripts: ScriptBook;
  readonly tokenFaults: TokenFaults;
  readonly recorder: Recorder;
  readonly username: string;
  readonly password: string;
}

/** Answers pushes as a customer's proxy would. Real mistakes are refused first; scripts and fault tokens decide over the rest. */
export function createProxyEndpoint(deps: ProxyDeps): (exchange: Exchange) => void {
  const { username, password } = deps;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return (exchange) => {
    const push = parseJson(exchange.body);
    const token = readToken(push);
    const mistake = findMistake(exchange, push, basic);
    if (mistake) {
      const { status } = mistake;
      record(deps, exchange, token, { kind: 'refuse', status, reason: String(status) });
      exchange.respond(mistake);
      return;
    }

    const scripted = deps.scripts.take({ provider: 'proxy', token });
    const answer = scripted ?? deps.tokenFaults.take(token) ?? ACCEPT;
    record(deps, exchange, token, toGivenAnswer(answer, statusOfProxyReason));
    playAnswer(exchange, answer, PROXY_WORDING);
  };
}

function findMistake(exchange: Exchange, push: unknown, basic: string): HttpAnswer | undefined {
  const { method, path, headers, client, bodyBytes } = exchange;
  const choice = PATH.exec(path)?.groups;
  const needsBasic = choice?.['basic'] !== undefined;
  // LivePerson knows certificate, Basic, and both: with Basic the certificate is up to the listener.
  const isRefused = client ? !client.trusted : !needsBasic;
  if (isRefused) return toCertificatePage(client !== undefined);
  if (!choice) return toRefusal({ reason: '404' });
  if (method !== 'POST') return toRefusal({ reason: '405' });
  const { authorization } = headers;
  if ((needsBasic || authorization !== undefined) && authorization !== basic) {
    return toRefusal({ reason: '401' });
  }
  if (!isJson(headers['content-type'])) return toRefusal({ reason: '415' });
  if (bodyBytes > MAX_BODY_BYTES) return toRefusal({ reason: '413' });
  const mistake = findBodyMistake(push, choice['y2017'] ? '2017' : 'current');
  return mistake === undefined ? undefined : toRefusal({ reason: mistake, status: 400 });
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

function readToken(push: unknown): string {
  const token = isObject(push) ? push['device-token'] : undefined;
  return typeof token === 'string' ? token : '';
}

function record(
  { recorder }: ProxyDeps,
  exchange: Exchange,
  token: string,
  answer: GivenAnswer,
): void {
  const fingerprint = exchange.client?.fingerprint;
  const fields = {
    provider: 'proxy' as const,
    at: Date.now(),
    token,
    headers: keptHeaders(exchange),
    ...(fingerprint !== undefined && { clientFingerprint: fingerprint }),
    answer,
  };
  recorder.record(new ReceivedPush(fields, exchange.body));
}

function keptHeaders({ headers }: Exchange): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
