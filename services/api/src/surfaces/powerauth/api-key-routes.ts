import { Refusal } from '@heliograph/core';
import {
  insertApiKey,
  listApiKeys,
  revokeApiKey,
  type Db,
  type ListedApiKey,
} from '@heliograph/db';

import { noSuchApiKey, OF_API_KEY, ofAppIfNamed } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import {
  CREATE_API_KEY,
  LIST_API_KEYS,
  REVOKE_API_KEY,
  type ApiKeyAnswer,
} from './api-key-endpoints.ts';
import { toWireAppId } from './fields.ts';

export interface ApiKeyRouteDeps {
  readonly db: Db;
  readonly now: () => Date;
}

/** Keys of the api. Whoever is bound to an app makes and sees keys of that app. */
export function apiKeyRoutes({ db, now }: ApiKeyRouteDeps): readonly Route[] {
  return [
    route(CREATE_API_KEY, ofAppIfNamed(), async ({ appId, expiresAt, ...key }, { caller }) => {
      const appRef = appId === undefined ? caller.app?.ref : (await getApp(db, { appId })).id;
      const created = await insertApiKey(db, {
        name: key.name,
        scopes: [...new Set(key.scopes)],
        appRef: appRef ?? null,
        ratePerSecond: key.ratePerSecond ?? null,
        expiresAt: expiresAt === undefined ? null : toExpiry(expiresAt, now()),
      });
      const { id: keyId, text, createdAt } = created;
      return { keyId, key: text, timestampCreated: toWireDate(createdAt) };
    }),

    route(LIST_API_KEYS, ofAppIfNamed(), async ({ appId }, { caller }) => {
      const appRef = appId === undefined ? caller.app?.ref : (await getApp(db, { appId })).id;
      return { keyList: (await listApiKeys(db, appRef)).map((key) => toListed(key, now())) };
    }),

    route(REVOKE_API_KEY, OF_API_KEY, async ({ keyId }) => {
      if (!(await revokeApiKey(db, keyId))) throw noSuchApiKey();
    }),
  ];
}

function toExpiry(text: string | number, now: Date): Date {
  const at = parseInstant(text);
  if (at === undefined || at <= now)
    throw new Refusal('invalid_request', 'requestObject.expiresAt is over already.');
  return at;
}

function toListed(key: ListedApiKey, now: Date): ApiKeyAnswer {
  const { id, name, scopes, appId, ratePerSecond, createdAt } = key;
  return {
    keyId: id,
    name,
    scopes: [...scopes],
    appId: appId === null ? null : toWireAppId(appId),
    ratePerSecond,
    state: toState(key, now),
    timestampCreated: toWireDate(createdAt),
    timestampExpires: toWireDateOrNull(key.expiresAt),
    timestampRevoked: toWireDateOrNull(key.revokedAt),
    timestampLastUsed: toWireDateOrNull(key.lastUsedAt),
  };
}

function toState({ revokedAt, expiresAt }: ListedApiKey, now: Date): ApiKeyAnswer['state'] {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

function toWireDateOrNull(at: Date | null): string | null {
  return at === null ? null : toWireDate(at);
}
