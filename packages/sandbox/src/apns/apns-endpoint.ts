import { randomUUID } from 'node:crypto';
import { ACCEPT, type Answer } from '../answers/answer.ts';
import { playAnswer } from '../answers/play-answer.ts';
import type { ScriptBook } from '../answers/script-book.ts';
import type { TokenFaults } from '../answers/token-faults.ts';
import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import { toGivenAnswer } from '../recording/given-answer.ts';
import { ReceivedPush } from '../recording/received-push.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Exchange } from '../transport/exchange.ts';
import { ApnsConnection } from './apns-connection.ts';
import { statusOfReason, type ApnsReason } from './apns-reasons.ts';
import { createApnsWording } from './apns-wording.ts';
import type { ClientCertificates } from './client-certificates.ts';
import type { ProviderTokens } from './provider-tokens.ts';
import {
  checkHeaders,
  checkPayload,
  checkToken,
  checkTopic,
  header,
  isCanonicalUuid,
} from './push-rules.ts';

const DEVICE_PATH = '/3/device';

/** Those that say something of the push, and are recorded. */
const RECORDED_HEADERS = [
  'apns-id',
  'apns-topic',
  'apns-push-type',
  'apns-priority',
  'apns-expiration',
  'apns-collapse-id',
];

const TOKEN_REFUSALS = new Set(['ExpiredProviderToken', 'InvalidProviderToken']);

export interface ApnsDeps {
  readonly environment: ApnsEnvironment;
  readonly providerTokens: ProviderTokens;
  readonly certificates: ClientCertificates;
  readonly scripts: ScriptBook;
  readonly tokenFaults: TokenFaults;
  readonly recorder: Recorder;
  /** What a connection may have once it has shown a valid token. */
  readonly maxConcurrentStreams: number;
  /** Whether a second new token within 20 minutes on one connection is refused. */
  readonly limitTokenUpdates: boolean;
  readonly now: () => number;
}

/** Answers pushes as Apple would. Real mistakes are refused first; scripts and fault tokens decide over the rest. */
export function createApnsEndpoint(deps: ApnsDeps): (exchange: Exchange) => void {
  const connections = new WeakMap<object, ApnsConnection>();

  const connectionOf = ({ connection: key }: Exchange): ApnsConnection => {
    const known = connections.get(key);
    if (known) return known;
    const connection = new ApnsConnection();
    connections.set(key, connection);
    return connection;
  };

  return (exchange) => {
    const connection = connectionOf(exchange);
    const token = deviceTokenOf(exchange.path);
    const sentId = header(exchange.headers, 'apns-id');
    const apnsId = sentId !== undefined && isCanonicalUuid(sentId) ? sentId : randomUUID();

    const answer = chooseAnswer(deps, exchange, connection, token ?? '');

    deps.recorder.record(toReceivedPush(deps.environment, exchange, token ?? '', answer));
    if (answer.kind === 'refuse' && TOKEN_REFUSALS.has(answer.reason)) connection.forgetTokens();
    playAnswer(exchange, answer, createApnsWording(deps.environment, apnsId));
    adjustStreams(deps, exchange, connection, answer);
  };
}

function chooseAnswer(
  deps: ApnsDeps,
  exchange: Exchange,
  connection: ApnsConnection,
  token: string,
): Answer {
  const mistake = findMistake(deps, exchange, connection);
  if (mistake) return { kind: 'refuse', reason: mistake };

  const lowerCased = token.toLowerCase();
  const apnsTopic = header(exchange.headers, 'apns-topic') ?? '';
  const { environment } = deps;
  const scripted = deps.scripts.take({
    provider: 'apns',
    token: lowerCased,
    environment,
    apnsTopic,
  });
  return scripted ?? deps.tokenFaults.take(lowerCased) ?? ACCEPT;
}

function findMistake(
  deps: ApnsDeps,
  exchange: Exchange,
  connection: ApnsConnection,
): ApnsReason | undefined {
  const token = deviceTokenOf(exchange.path);
  if (token === undefined) return 'BadPath';
  if (exchange.method !== 'POST') return 'MethodNotAllowed';

  return (
    findSenderMistake(deps, exchange, connection) ??
    checkToken(token.toLowerCase(), deps.environment) ??
    checkPayload(exchange)
  );
}

/** A client with a certificate needs no provider token; Apple ignores one that comes. */
function findSenderMistake(
  deps: ApnsDeps,
  exchange: Exchange,
  connection: ApnsConnection,
): ApnsReason | undefined {
  const { headers, client } = exchange;
  if (client) {
    const topic = header(headers, 'apns-topic');
    const reason = deps.certificates.judge(client, topic, deps.environment);
    return reason ?? checkHeaders(exchange);
  }

  const nowMs = deps.now();
  const { authorization } = headers;
  const verdict = deps.providerTokens.judge(authorization, deps.environment, nowMs);
  if ('reason' in verdict) return verdict.reason;
  return (
    connection.admit(verdict.key, authorization ?? '', nowMs, deps.limitTokenUpdates) ??
    checkHeaders(exchange) ??
    checkTopic(headers, verdict.key)
  );
}

/** Empty where the path ends without one; undefined for another path. */
function deviceTokenOf(path: string): string | undefined {
  if (path.startsWith(`${DEVICE_PATH}/`)) return path.slice(DEVICE_PATH.length + 1);
  return path === DEVICE_PATH ? '' : undefined;
}

function toReceivedPush(
  environment: ApnsEnvironment,
  exchange: Exchange,
  token: string,
  answer: Answer,
): ReceivedPush {
  const headers: Record<string, string> = {};
  for (const name of RECORDED_HEADERS) {
    const value = header(exchange.headers, name);
    if (value !== undefined) headers[name] = value;
  }
  return new ReceivedPush(
    {
      provider: 'apns',
      environment,
      at: Date.now(),
      token,
      headers,
      answer: toGivenAnswer(answer, statusOfReason),
    },
    exchange.body,
  );
}

/** 1 stream until a push with a valid token was answered; after a scripted drop, until the next accepted push. */
function adjustStreams(
  { maxConcurrentStreams }: ApnsDeps,
  exchange: Exchange,
  connection: ApnsConnection,
  answer: Answer,
): void {
  if (answer.streamLimit !== undefined) {
    connection.streams = 'dropped';
    return;
  }
  if (connection.streams === 'full') return;
  const opens = connection.streams === 'one' && connection.isBound && answer.kind === 'refuse';
  if (answer.kind !== 'accept' && !opens) return;
  connection.streams = 'full';
  exchange.limitStreams(maxConcurrentStreams);
}
