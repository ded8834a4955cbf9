import { Refusal, type SecretBox } from '@heliograph/core';
import {
  disableDeveloperKey,
  enableDeveloperKey,
  listDeveloperKeys,
  type Db,
  type ListedDeveloperKey,
} from '@heliograph/db';

import { OF_DEVELOPER_KEY, ofApp } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { createDeveloperKey } from '../../developer-keys/create-developer-key.ts';
import { rotateDeveloperKey } from '../../developer-keys/rotate-developer-key.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import {
  CREATE_DEVELOPER_KEY,
  DEFAULT_VALID_SECONDS,
  DISABLE_DEVELOPER_KEY,
  ENABLE_DEVELOPER_KEY,
  LIST_DEVELOPER_KEYS,
  ROTATE_DEVELOPER_KEY,
} from './developer-key-endpoints.ts';

export interface DeveloperKeyRouteDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
}

export function developerKeyRoutes(deps: DeveloperKeyRouteDeps): readonly Route[] {
  return [
    route(CREATE_DEVELOPER_KEY, ofApp(), async ({ name, carriers, ...app }) => {
      const created = await createDeveloperKey(deps, app, { name, carriers });
      return { ...created, createdAt: toWireDate(created.createdAt) };
    }),

    route(LIST_DEVELOPER_KEYS, ofApp(), async (app) => {
      const { id } = await getApp(deps.db, app);
      return { developerKeyList: (await listDeveloperKeys(deps.db, id)).map(toListed) };
    }),

    route(DISABLE_DEVELOPER_KEY, OF_DEVELOPER_KEY, async ({ developerKey }) =>
      refuseUnknown(await disableDeveloperKey(deps.db, developerKey)),
    ),

    route(ENABLE_DEVELOPER_KEY, OF_DEVELOPER_KEY, async ({ developerKey }) =>
      refuseUnknown(await enableDeveloperKey(deps.db, developerKey)),
    ),

    route(ROTATE_DEVELOPER_KEY, OF_DEVELOPER_KEY, async ({ developerKey, validForSeconds }) => {
      const seconds = validForSeconds ?? DEFAULT_VALID_SECONDS;
      const rotated = await rotateDeveloperKey(deps, developerKey, seconds);
      return { ...rotated, oldSecretValidUntil: toWireDateOrNull(rotated.oldSecretValidUntil) };
    }),
  ];
}

function refuseUnknown(isKnown: boolean): void {
  if (!isKnown) throw new Refusal('invalid_request', 'There is no such developer key.');
}

function toListed({ carriers, disabledAt, createdAt, ...key }: ListedDeveloperKey) {
  return {
    ...key,
    carriers: [...carriers],
    enabled: disabledAt === null,
    disabledAt: toWireDateOrNull(disabledAt),
    createdAt: toWireDate(createdAt),
    oldSecretValidUntil: toWireDateOrNull(key.oldSecretValidUntil),
  };
}

function toWireDateOrNull(at: Date | null): string | null {
  return at === null ? null : toWireDate(at);
}
