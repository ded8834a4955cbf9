import { isUuid, Refusal } from '@heliograph/core';
import { listAudit, type AuditEntry, type Db } from '@heliograph/db';

import { ofAppIfNamed } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { DEFAULT_ENTRIES, LIST_AUDIT } from './audit-endpoints.ts';
import { toWireAppId } from './fields.ts';

export function auditRoutes({ db }: { readonly db: Db }): readonly Route[] {
  return [
    route(LIST_AUDIT, ofAppIfNamed(), async ({ appId, before, limit }, { caller }) => {
      if (before !== undefined && !isUuid(before))
        throw new Refusal('invalid_request', 'before is not a cursor.');
      const size = limit ?? DEFAULT_ENTRIES;
      const appRef = appId === undefined ? caller.app?.ref : (await getApp(db, { appId })).id;
      const found = await listAudit(db, { appRef, before, limit: size + 1 });
      const entries = found.slice(0, size);
      const cursor = found.length > size ? (entries.at(-1)?.id ?? null) : null;
      return { entries: entries.map(toWireEntry), cursor };
    }),
  ];
}

function toWireEntry({ appId, createdAt, finishedAt, ...entry }: AuditEntry) {
  return {
    ...entry,
    appId: appId === null ? null : toWireAppId(appId),
    timestampCreated: toWireDate(createdAt),
    timestampFinished: finishedAt === null ? null : toWireDate(finishedAt),
  };
}
