import {
  countNewInboxMessages,
  INBOX_TYPES,
  takeInboxMessages,
  type ImportedInboxMessage,
  type PowerAuthInboxMessage,
  type PowerAuthSource,
} from '@heliograph/db';

import { createAppRefs, type AppRefs } from './app-refs.ts';
import { toCounts, type Finding } from './report.ts';
import type { Page, Step } from './step.ts';

/** Of up to 64 KiB each. */
const PAGE_ROWS = 500;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

type Message = Omit<ImportedInboxMessage, 'appRefs'> & { readonly appIds: readonly string[] };

export function createInboxStep(deps: {
  readonly source: PowerAuthSource;
  readonly now: () => Date;
}): Step {
  const appRefs = createAppRefs();
  return {
    name: 'inbox',
    count: () => deps.source.count('inbox'),
    async read(cursor) {
      const rows = await deps.source.listInbox(cursor, PAGE_ROWS);
      const withoutUser = cursor === null ? await deps.source.countInboxWithoutUser() : 0;
      return toPage(rows, withoutUser, deps.now(), appRefs);
    },
  };
}

function toPage(
  rows: readonly PowerAuthInboxMessage[],
  withoutUser: number,
  now: Date,
  appRefs: AppRefs,
): Page {
  const { messages, findings } = toMessages(rows, withoutUser, now);
  return {
    rows: rows.length,
    next: rows.length < PAGE_ROWS ? null : (rows.at(-1)?.position ?? null),
    async take(tx) {
      const apps = await appRefs(
        tx,
        messages.flatMap(({ appIds }) => appIds),
      );
      const taken = await takeInboxMessages(
        tx,
        messages.map(({ appIds, ...message }) => ({
          ...message,
          appRefs: appIds.map((appId) => apps.refs.get(appId) ?? 0),
        })),
      );
      return [...findings, ...apps.findings, ...toCounts('inbox messages', taken)];
    },
    async compare(db) {
      const added = await countNewInboxMessages(
        db,
        messages.map(({ id }) => id),
      );
      const taken = new Map([
        ['added', added],
        ['unchanged', messages.length - added],
      ] as const);
      return [...findings, ...toCounts('inbox messages', taken)];
    },
  };
}

function toMessages(
  rows: readonly PowerAuthInboxMessage[],
  withoutUser: number,
  now: Date,
): { readonly messages: readonly Message[]; readonly findings: readonly Finding[] } {
  const messages: Message[] = [];
  const findings: Finding[] = [{ kind: 'inbox messages', counted: 'read', count: rows.length }];
  if (withoutUser > 0)
    findings.push({
      kind: 'inbox messages',
      skipped: 'without a user',
      row: '',
      count: withoutUser,
    });
  for (const row of rows) {
    const message = toMessage(row, now);
    if (typeof message !== 'string') messages.push(message);
    else findings.push({ kind: 'inbox messages', skipped: message, row: String(row.sourceId) });
  }
  return { messages, findings };
}

/** The message, or why there is none. */
function toMessage(row: PowerAuthInboxMessage, now: Date): Message | string {
  const { inboxId, userId, subject, summary, body, appIds } = row;
  const type = INBOX_TYPES.find((known) => known === row.type?.toLowerCase());
  if (inboxId === null || !UUID.test(inboxId)) return 'with an id that is no UUID';
  if (type === undefined) return `of a type that is none: ${row.type}`;
  if (subject === null || summary === null || body === null)
    return 'without subject, summary or body';
  if (appIds.length === 0) return 'of no app';
  const createdAt = row.createdAt ?? now.toISOString();
  return {
    id: inboxId,
    userId,
    appIds,
    type,
    subject,
    summary,
    body,
    createdAt,
    readAt: row.read ? (row.readAt ?? createdAt) : null,
  };
}
