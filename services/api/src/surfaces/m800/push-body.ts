import type { IncomingMessage } from 'node:http';

import { Refusal } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { compileParser } from '../../http/parse.ts';

const content = Type.String({ format: 'text', minLength: 1, maxLength: 65_536 });

/** The body of a push. */
export const PushBody = Type.Object({
  appMessage: Type.Object({ content }),
  push: Type.Optional(Type.Object({ content: Type.Optional(content) })),
  // `username@carrierName`
  sender: Type.Optional(
    Type.String({
      format: 'text',
      maxLength: 255,
      pattern: '^[^\\r\\n]+@[^@\\s]+$',
      'x-hint': 'must be username@carrierName',
    }),
  ),
});

const parse = compileParser(PushBody);

const JSON_TYPE = /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/i;

/** Reads the body of a push, whose signature was found right. Refuses what is not JSON in UTF-8, or lacks what it must have. */
export function parsePushBody(req: IncomingMessage, body: Buffer): Static<typeof PushBody> {
  const type = req.headers['content-type'];
  if (type !== undefined && !isJsonInUtf8(type))
    throw new Refusal('unsupported_media_type', 'The body must be application/json in UTF-8.');
  if (body.length === 0) throw new Refusal('invalid_request', 'There is no body.');
  return parse(parseJson(body));
}

function isJsonInUtf8(type: string): boolean {
  const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
  return JSON_TYPE.test(type) && /^(?:utf-?8|us-ascii)$/i.test(charset);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Refusal('invalid_request', 'The body is not valid JSON.');
  }
}
