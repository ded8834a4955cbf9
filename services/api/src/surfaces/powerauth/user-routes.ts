import type { Db, Pages } from '@heliograph/db';

import { ofAppOrEvery } from '../../access/subject.ts';
import { route, streamRoute, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { writeJsonStream } from '../../http/write-json-stream.ts';
import { eraseUser } from '../../users/erase-user.ts';
import { exportUser } from '../../users/export-user.ts';
import { toWireAppId } from './fields.ts';
import { ERASE_USER, EXPORT_USER } from './user-endpoints.ts';

/** What is kept about a user: to be shown, and to be forgotten. */
export function userRoutes(deps: { readonly db: Db; readonly now: () => Date }): readonly Route[] {
  return [
    streamRoute(EXPORT_USER, ofAppOrEvery(), async (input, { res }) => {
      const lists = await exportUser(deps, input);
      const facts = { userId: input.userId, exportedAt: toWireDate(deps.now()) };
      await writeJsonStream(res, toJson(facts, lists));
    }),

    route(ERASE_USER, ofAppOrEvery(), async (input) => {
      const { id, erasedAt, ...erasure } = await eraseUser(deps, input);
      const { devices, messages, skipped, inboxMessages, campaigns, campaignDeliveries } = erasure;
      return {
        erasureId: id,
        erased: erasedAt !== null,
        erasedAt: erasedAt === null ? null : toWireDate(erasedAt),
        devices,
        messages,
        skipped,
        inboxMessages,
        campaigns,
        campaignDeliveries,
      };
    }),
  ];
}

async function* toJson(
  facts: Readonly<Record<string, unknown>>,
  lists: ReadonlyMap<string, Pages>,
): AsyncGenerator<string> {
  // Without its closing brace: the lists are its last fields.
  yield `{"status":"OK","responseObject":${JSON.stringify(facts).slice(0, -1)}`;
  for (const [name, pages] of lists) {
    yield `,${JSON.stringify(name)}:[`;
    let isFirst = true;
    for await (const page of pages) {
      if (page.length === 0) continue;
      yield `${isFirst ? '' : ','}${JSON.stringify(page.map(toWire)).slice(1, -1)}`;
      isFirst = false;
    }
    yield ']';
  }
  yield '}}';
}

/** With its dates and application as the wire spells them. */
function toWire(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value instanceof Date) return [name, toWireDate(value)];
      if (name === 'appId' && typeof value === 'string') return [name, toWireAppId(value)];
      if (name === 'provider') return ['platform', value === 'apns' ? 'ios' : 'android'];
      return [name, value];
    }),
  );
}
