import type { IncomingMessage, ServerResponse } from 'node:http';

import { allows, Refusal } from '@heliograph/core';
import type { Logger } from 'pino';

import type { EndpointDoc } from '../http/endpoint.ts';
import { authenticate, type AuthenticateDeps } from './authenticate.ts';
import { ANYBODY, type Caller } from './caller.ts';
import { endWithKey } from './end-with-key.ts';
import type { KeyUse } from './key-use.ts';
import type { LoadLimit } from './load-limit.ts';
import type { LimitVerdict, RequestLimit } from './request-limit.ts';

/** Stands before every endpoint: nothing of a request is read before it was let in. */
export interface Gate {
  /** Refuses whom the endpoint is not for, and what comes too fast. */
  admit(doc: EndpointDoc, req: IncomingMessage, res: ServerResponse): Promise<Caller>;
}

export interface AccessDeps extends Omit<AuthenticateDeps, 'now'> {
  /** Undefined: access control is on. */
  readonly isOff?: boolean;
  readonly limit: RequestLimit;
  readonly use: KeyUse;
  /** How often it is looked whether the key of a stream is still valid, ms. */
  readonly streamCheckMs?: number | undefined;
}

export interface GateDeps {
  readonly access: AccessDeps;
  readonly load: LoadLimit;
  readonly log: Logger;
  readonly now: () => Date;
}

export function createGate({ access, load, log, now }: GateDeps): Gate {
  const checks = { ...access, now };

  async function identify(req: IncomingMessage, res: ServerResponse): Promise<Caller> {
    if (access.isOff === true) return ANYBODY;
    try {
      return await authenticate(checks, req);
    } catch (error) {
      // RFC 9110, 15.5.2: a 401 says how one may authenticate.
      if (error instanceof Refusal && error.status === 401)
        res.setHeader('WWW-Authenticate', CHALLENGES);
      throw error;
    }
  }

  return {
    async admit(doc, req, res) {
      // A stream is open for hours and does nothing most of the time; those have bounds of their own.
      if (doc.answerType === 'application/json') load.enter(res);
      if (doc.scope === 'open') return ANYBODY;

      const caller = await identify(req, res);
      const { keyId } = caller;
      if (keyId !== undefined) {
        access.use.note(keyId);
        await refuseTooFast(access.limit, caller, res);
      }
      if (!allows(caller.scopes, doc.scope)) {
        log.warn({ keyId, path: doc.paths[0] }, 'key without the scope');
        throw new Refusal(
          'forbidden',
          `This takes a key with the scope ${doc.scope.join(' or ')}.`,
        );
      }
      if (keyId !== undefined && doc.answerType !== 'application/json')
        endWithKey(checks, keyId, res, access.streamCheckMs);
      return caller;
    },
  };
}

const CHALLENGES = ['Basic realm="heliograph", charset="UTF-8"', 'Bearer realm="heliograph"'];

async function refuseTooFast(
  limit: RequestLimit,
  { keyId, ratePerSecond }: Caller,
  res: ServerResponse,
): Promise<void> {
  if (keyId === undefined || ratePerSecond === 0) return;
  const verdict = await limit.take(keyId, ratePerSecond);
  tellLimit(res, verdict);
  if (!verdict.allowed)
    throw new Refusal('rate_limited', `This key may make ${verdict.limit} requests per second.`, {
      retryAfterSeconds: toSeconds(verdict),
    });
}

/** By the names of draft-ietf-httpapi-ratelimit-headers up to its version 07, which clients know. */
function tellLimit(res: ServerResponse, verdict: LimitVerdict): void {
  res.setHeader('RateLimit-Limit', verdict.limit);
  res.setHeader('RateLimit-Remaining', verdict.remaining);
  res.setHeader('RateLimit-Reset', toSeconds(verdict));
}

function toSeconds({ allowed, resetMs }: LimitVerdict): number {
  return Math.max(allowed ? 0 : 1, Math.ceil(resetMs / 1000));
}
