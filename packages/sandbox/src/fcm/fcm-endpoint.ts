import { randomBytes, randomInt } from 'node:crypto';
import { ACCEPT, type Answer } from '../answers/answer.ts';
import { playAnswer } from '../answers/play-answer.ts';
import type { ScriptBook } from '../answers/script-book.ts';
import type { TokenFaults } from '../answers/token-faults.ts';
import { isObject, parseJson } from '../json.ts';
import { toGivenAnswer, type GivenAnswer } from '../recording/given-answer.ts';
import { ReceivedPush } from '../recording/received-push.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Exchange } from '../transport/exchange.ts';
import type { AccessTokens } from './access-tokens.ts';
import {
  FCM_REFUSALS,
  error,
  json,
  statusOfRefusal,
  toFcmAnswer,
  toHttp,
  type FcmError,
} from './fcm-refusals.ts';
import { checkMessage } from './message-rules.ts';

const SEND_PATH = /^\/v1\/projects\/(?<projectId>[^/]+)\/messages:send(?:\?|$)/;

export interface FcmDeps {
  readonly accessTokens: AccessTokens;
  readonly scripts: ScriptBook;
  readonly tokenFaults: TokenFaults;
  readonly recorder: Recorder;
  readonly now: () => number;
}

interface FcmSend {
  readonly projectId: string;
  /** Push token; empty for a message to a topic or condition. */
  readonly token: string;
  readonly message: unknown;
  /** Check only: FCM delivers nothing. */
  readonly validateOnly: boolean;
}

/** Answers messages as FCM would. Real mistakes are refused first; scripts and fault tokens decide over the rest. */
export function createFcmEndpoint(deps: FcmDeps): (exchange: Exchange) => void {
  return (exchange) => {
    const send = readSend(exchange);
    const mistake = findMistake(deps, exchange, send);
    const name = `projects/${send.projectId}/messages/${send.validateOnly ? 'fake_message_id' : createMessageId()}`;
    if (mistake) {
      record(deps, exchange, send, {
        kind: 'refuse',
        status: mistake.code,
        reason: mistake.status,
      });
      exchange.respond(toHttp(mistake));
      return;
    }

    const answer = chooseAnswer(deps, send);
    if (!send.validateOnly)
      record(deps, exchange, send, toGivenAnswer(answer, statusOfRefusal, name));
    playAnswer(exchange, answer, { accept: () => json(200, { name }), refuse: toFcmAnswer });
  };
}

function readSend({ path, body }: Exchange): FcmSend {
  const request = parseJson(body);
  const message = isObject(request) ? request['message'] : undefined;
  const token = isObject(message) ? message['token'] : undefined;
  const validateOnly = isObject(request)
    ? (request['validate_only'] ?? request['validateOnly'])
    : false;
  return {
    projectId: SEND_PATH.exec(path)?.groups?.['projectId'] ?? '',
    token: typeof token === 'string' ? token : '',
    message,
    validateOnly: validateOnly === true,
  };
}

function findMistake(
  { accessTokens, now }: FcmDeps,
  { method, path, headers }: Exchange,
  { projectId, message }: FcmSend,
): FcmError | undefined {
  if (method !== 'POST' || !SEND_PATH.test(path)) return FCM_REFUSALS.get('NOT_FOUND');
  if (headers.authorization === undefined) {
    return error(401, 'UNAUTHENTICATED', 'Request is missing required authentication credential.');
  }
  const account = accessTokens.findAccount(headers.authorization, now());
  if (!account) return FCM_REFUSALS.get('UNAUTHENTICATED');
  if (!accessTokens.hasProject(projectId)) return FCM_REFUSALS.get('NOT_FOUND');
  if (account.projectId !== projectId) return FCM_REFUSALS.get('PERMISSION_DENIED');
  return checkMessage(message);
}

function chooseAnswer({ scripts, tokenFaults }: FcmDeps, { token, projectId }: FcmSend): Answer {
  return scripts.take({ provider: 'fcm', token, projectId }) ?? tokenFaults.take(token) ?? ACCEPT;
}

function record(
  { recorder }: FcmDeps,
  exchange: Exchange,
  { projectId, token }: FcmSend,
  answer: GivenAnswer,
): void {
  const fields = {
    provider: 'fcm' as const,
    projectId,
    at: Date.now(),
    token,
    headers: {},
    answer,
  };
  recorder.record(new ReceivedPush(fields, exchange.body));
}

/** As FCM's do, it says when it was given, in µs. */
function createMessageId(): string {
  const micros = Date.now() * 1_000 + randomInt(1_000);
  return `0:${micros}%${randomBytes(8).toString('hex')}`;
}
