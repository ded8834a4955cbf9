import { INBOX_TYPES } from '@heliograph/db';
import { Type, type Static } from '@sinclair/typebox';

import type { ApiRequest } from '../../http/endpoint.ts';
import { answering, streaming, taking, takingEither, takingFrom } from './envelope.ts';
import { oneOf, oneOfAnyCase, optional, text, UserId } from './fields.ts';
import { idempotencyHeaders } from './message-endpoints.ts';
import { answeringPage, takingPageOf } from './paging.ts';

const tag = 'Inbox';

const Subject = text({ minLength: 8, maxLength: 255 });
const Body = text({ minLength: 8, maxLength: 65_536 });
const OneAppId = text({ minLength: 1, maxLength: 255 });
const MessageId = text({ minLength: 1, maxLength: 255, description: 'Also called messageId.' });
const Applications = text({
  minLength: 1,
  maxLength: 255,
  description: 'The appIds of applications, with commas between them.',
});

const Summary = Type.Object(
  {
    id: Type.String(),
    type: oneOf(INBOX_TYPES),
    subject: Type.String(),
    summary: Type.String(),
    read: Type.Boolean(),
    timestampCreated: Type.String(),
  },
  { title: 'InboxMessageSummary' },
);

const Message = Type.Object(
  {
    id: Type.String(),
    userId: Type.String(),
    type: oneOf(INBOX_TYPES),
    subject: Type.String(),
    summary: Type.String(),
    body: Type.String(),
    read: Type.Boolean(),
    timestampCreated: Type.String(),
    timestampRead: optional(Type.String({ description: 'Absent while it is unread.' })),
    applications: Type.Array(Type.String()),
  },
  { title: 'InboxMessage' },
);

export type InboxSummaryAnswer = Static<typeof Summary>;
export type InboxMessageAnswer = Static<typeof Message>;

export const POST_MESSAGE = answering(
  Message,
  taking(
    Type.Object(
      {
        userId: UserId,
        type: oneOfAnyCase(INBOX_TYPES),
        subject: Subject,
        summary: Subject,
        body: Body,
        applications: Type.Array(text({ pattern: '^[a-zA-Z0-9_-]{3,255}$' }), {
          minItems: 1,
          description: 'The appIds of those that show it, each once.',
        }),
      },
      { title: 'PostInboxMessage' },
    ),
    {
      tag,
      scope: ['send'],
      summary: "Stores a message in a user's inbox; nothing is pushed",
      methods: ['post'],
      paths: ['/inbox/messages'],
      headers: idempotencyHeaders,
    },
    { listViolations: true },
  ),
);

export const LIST_MESSAGES = answeringPage(
  Type.Array(Summary),
  takingPageOf(
    Type.Object({
      userId: UserId,
      applications: Applications,
      onlyUnread: optional(Type.Boolean({ default: false })),
    }),
    {
      tag,
      scope: ['send', 'read'],
      summary: "Lists a user's messages, the newest first",
      methods: ['get'],
      paths: ['/inbox/messages/list'],
    },
  ),
);

const OfApp = { userId: UserId, appId: OneAppId };

export const COUNT_UNREAD = answering(
  Type.Object({ countUnread: Type.Integer() }),
  takingFrom('query', Type.Object(OfApp), {
    tag,
    scope: ['send', 'read'],
    summary: 'Counts what a user has not read in an application',
    methods: ['get'],
    paths: ['/inbox/messages/count'],
  }),
);

export const GET_MESSAGE = answering(
  Message,
  takingFrom(
    'query',
    Type.Object({ id: MessageId }),
    {
      tag,
      scope: ['send', 'read'],
      summary: 'One message',
      methods: ['get'],
      paths: ['/inbox/messages/detail'],
    },
    ({ query }) => ({ id: query['messageId'], ...query }),
  ),
);

const READ = {
  tag,
  scope: ['send'],
  summary: 'Marks a message as read',
  paths: ['/inbox/messages/read'],
} as const;
const Read = Type.Object({ inboxId: MessageId }, { title: 'ReadInboxMessage' });

export const READ_MESSAGE = answering(
  Message,
  taking(Read, { ...READ, methods: ['post'] }, { listViolations: true }),
);

export const READ_MESSAGE_BY_QUERY = answering(
  Message,
  takingEither(Read, { ...READ, methods: ['put'] }, ({ query }) => ({
    inboxId: query['messageId'],
    ...query,
  })),
);

const ALL = {
  tag,
  scope: ['send'],
  summary: 'Marks as read what a user has not read in an application',
  paths: ['/inbox/messages/read-all'],
} as const;
const ReadAll = Type.Object(OfApp, { title: 'ReadAllInboxMessages' });

export const READ_ALL = taking(ReadAll, { ...ALL, methods: ['post'] }, { listViolations: true });
export const READ_ALL_BY_QUERY = takingEither(ReadAll, { ...ALL, methods: ['put'] });

export const WATCH_INBOX = streaming(
  'Server-sent events: a `message` with the fields of the list for each one that comes. Its id counts the messages of the user.',
  takingFrom(
    'query',
    Type.Object({
      userId: UserId,
      applications: Applications,
      lastEventId: optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'For those who cannot set the header Last-Event-ID, which goes before it.',
        }),
      ),
    }),
    {
      tag,
      scope: ['send', 'read'],
      summary: "Tells a user's new messages as they come",
      methods: ['get'],
      paths: ['/inbox/messages/stream'],
      headers: {
        'Last-Event-ID': 'The id of the last event that came: what is after it is told first.',
      },
    },
    findResumable,
  ),
);

function findResumable({ query, headers }: ApiRequest): unknown {
  const lastEventId = headers['last-event-id'];
  return lastEventId === undefined ? query : { ...query, lastEventId };
}
