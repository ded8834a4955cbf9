import { isObject } from '../json.ts';
import {
  GOAWAY_STREAMS,
  RESET_CODES,
  type Answer,
  type AnswerKind,
  type ResetCode,
} from './answer.ts';

/** Throws a TypeError that says what is wrong: the input comes from a person at a keyboard. */
export function parseAnswer(input: unknown): Answer {
  if (!isObject(input)) throw new TypeError('An answer must be an object with a `kind`.');
  const times = input['times'] === 'always' ? 'always' : optionalNumber(input, 'times');
  const delayMs = optionalNumber(input, 'delayMs');
  const streamLimit = optionalNumber(input, 'streamLimit');
  return {
    ...parseKind(input),
    ...(times !== undefined && { times }),
    ...(delayMs !== undefined && { delayMs }),
    ...(streamLimit !== undefined && { streamLimit }),
  };
}

function parseKind(input: Record<string, unknown>): AnswerKind {
  const kind = input['kind'];
  switch (kind) {
    case 'accept':
    case 'silence':
    case 'fin':
    case 'tcp-reset':
    case 'reset-unread':
      return { kind };
    case 'redirect':
      return parseRedirect(input);
    case 'endless': {
      const everyMs = optionalNumber(input, 'everyMs');
      return { kind, ...(everyMs !== undefined && { everyMs }) };
    }
    case 'refuse':
      return parseRefuse(input);
    case 'raw':
      return parseRaw(input);
    case 'goaway':
      return parseGoaway(input);
    case 'rst-stream':
      return { kind, code: parseResetCode(input['code'] ?? 'INTERNAL_ERROR') };
    default:
      throw new TypeError(`Unknown kind of answer: ${String(kind)}.`);
  }
}

function parseRefuse(input: Record<string, unknown>): AnswerKind {
  const reason = optionalString(input, 'reason');
  if (reason === undefined) throw new TypeError('A refusal needs a `reason`.');
  const status = optionalNumber(input, 'status');
  const age = input['timestampAgeMs'] === null ? null : optionalNumber(input, 'timestampAgeMs');
  return {
    kind: 'refuse',
    reason,
    ...(status !== undefined && { status }),
    ...(age !== undefined && { timestampAgeMs: age }),
    ...parseRetryAfter(input),
  };
}

function parseRaw(input: Record<string, unknown>): AnswerKind {
  const status = optionalNumber(input, 'status');
  if (status === undefined) throw new TypeError('A raw answer needs a `status`.');
  const body = optionalString(input, 'body');
  const contentType = optionalString(input, 'contentType');
  return {
    kind: 'raw',
    status,
    ...(body !== undefined && { body }),
    ...(contentType !== undefined && { contentType }),
    ...parseRetryAfter(input),
  };
}

function parseRedirect(input: Record<string, unknown>): AnswerKind {
  const location = optionalString(input, 'location');
  const status = optionalNumber(input, 'status');
  return {
    kind: 'redirect',
    ...(location !== undefined && { location }),
    ...(status !== undefined && { status }),
  };
}

function parseGoaway(input: Record<string, unknown>): AnswerKind {
  const streams = GOAWAY_STREAMS.find((name) => name === (input['streams'] ?? 'answer'));
  if (!streams) throw new TypeError(`\`streams\` must be one of ${GOAWAY_STREAMS.join(', ')}.`);
  const reason = optionalString(input, 'reason');
  return { kind: 'goaway', streams, ...(reason !== undefined && { reason }) };
}

function parseResetCode(input: unknown): ResetCode {
  if (typeof input === 'string' && isResetCode(input)) return input;
  throw new TypeError(`\`code\` must be one of ${Object.keys(RESET_CODES).join(', ')}.`);
}

function isResetCode(name: string): name is ResetCode {
  return Object.hasOwn(RESET_CODES, name);
}

function parseRetryAfter(input: Record<string, unknown>) {
  const retryAfterSeconds = optionalNumber(input, 'retryAfterSeconds');
  return {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(input['retryAfterAsDate'] === true && { retryAfterAsDate: true }),
  };
}

function optionalNumber(input: Record<string, unknown>, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || typeof value === 'number') return value;
  throw new TypeError(`\`${name}\` must be a number.`);
}

function optionalString(input: Record<string, unknown>, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new TypeError(`\`${name}\` must be a string.`);
}
