import { Type } from '@sinclair/typebox';

import { answering, takingFrom } from './envelope.ts';
import { AppId, nullable, optional, text, WireAppId } from './fields.ts';

export const DEFAULT_ENTRIES = 100;

const Instant = Type.String({ format: 'date-time' });

const Entry = Type.Object(
  {
    id: Type.String(),
    keyId: nullable(Type.String({ description: 'Of the API key; null where there was none.' })),
    actor: Type.String({ description: 'The name of the API key, or what stood in its place.' }),
    requestId: nullable(Type.String({ description: 'The X-Correlation-ID of the request.' })),
    action: Type.String({ examples: ['push.campaign.run.pause'] }),
    appId: nullable(WireAppId),
    objects: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
      description: 'What it was about: ids and the like.',
    }),
    outcome: nullable(
      Type.String({
        description:
          'ok, or why it was refused; null while it is under way, and where its process died.',
      }),
    ),
    timestampCreated: Instant,
    timestampFinished: nullable(Instant),
  },
  { title: 'AuditEntry' },
);

export const LIST_AUDIT = answering(
  Type.Object({
    entries: Type.Array(Entry),
    cursor: nullable(
      Type.String({ description: 'Leads to older ones as `before`; null where there are none.' }),
    ),
  }),
  takingFrom(
    'query',
    Type.Object({
      appId: optional(AppId),
      before: optional(text({ maxLength: 36 })),
      limit: optional(Type.Integer({ minimum: 1, maximum: 1000, default: DEFAULT_ENTRIES })),
    }),
    {
      tag: 'Administration',
      scope: ['admin'],
      summary: 'What was done by those who administrate and control, the latest first',
      methods: ['get'],
      paths: ['/admin/audit/list'],
    },
  ),
);
