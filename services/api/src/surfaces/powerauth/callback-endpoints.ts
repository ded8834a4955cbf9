import { CALLBACK_TYPES } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { CALLBACK_CHOICES } from '../../callbacks/register-callback.ts';
import { answering, taking, takingFrom } from './envelope.ts';
import { AppId, instant, nullable, oneOf, optional, text, WireAppId } from './fields.ts';

const tag = 'Callback';

const DAY_SECONDS = 24 * 3_600;
const MAX_URL_LENGTH = 2_048;
const MAX_EVENTS = 1_000;
export const DEFAULT_EVENTS = 100;
export const DEFAULT_CALLS = 20;
const CALL_STATES = ['waiting', 'taken', 'refused'] as const;

const DeveloperKey = text({
  minLength: 1,
  maxLength: 255,
  description: 'Of one developer key only: about the messages that it sent, and signed with it.',
});
const Owner = { appId: optional(AppId), developerKey: optional(DeveloperKey) };
const CallbackId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const Instant = Type.String({ format: 'date-time' });
const Key = Type.String({ description: 'What signatures name.' });
const Secret = Type.String({ description: 'Shown here and never again.' });
const Cursor = text({
  minLength: 1,
  maxLength: 64,
  description: 'A `cursor` of any answer or request.',
});

export const CREATE_CALLBACK = answering(
  Type.Object({ id: CallbackId, url: Type.String(), key: Key, secret: nullable(Secret) }),
  taking(
    Type.Object(
      {
        ...Owner,
        url: text({
          minLength: 1,
          maxLength: MAX_URL_LENGTH,
          description: 'https, at a public address.',
          examples: ['https://example.com/outcomes'],
        }),
        types: optional(
          Type.Array(oneOf(CALLBACK_CHOICES), {
            minItems: 1,
            maxItems: CALLBACK_CHOICES.length,
            description: 'Types of events, or the parts before their dots. All unless given.',
          }),
        ),
      },
      { title: 'CreateCallback' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Has outcomes POSTed to a URL from now on',
      methods: ['post'],
      paths: ['/admin/app/callback/create'],
    },
  ),
);

const Listed = Type.Object(
  {
    id: CallbackId,
    url: Type.String(),
    key: Key,
    developerKey: nullable(Type.String()),
    types: nullable(Type.Array(Type.String())),
    timestampCreated: Instant,
    state: oneOf(['active', 'failing', 'suspended']),
    failures: Type.Integer({ description: 'In a row.' }),
    failingSince: nullable(Instant),
    nextAttempt: nullable(Instant),
    lastAttempt: nullable(Instant),
    lastSuccess: nullable(Instant),
    lastResult: nullable(
      Type.String({ description: 'The status of the last answer, or what went wrong.' }),
    ),
    passedOver: Type.Integer({ description: 'Events that were given up.' }),
    suspendedBecause: nullable(oneOf(['gone', 'failing'])),
    cursor: Type.String({ description: 'Up to where it was told.' }),
  },
  { title: 'Callback' },
);

export type ListedCallback = Static<typeof Listed>;

export const LIST_CALLBACKS = answering(
  Type.Object({ appId: WireAppId, callbackList: Type.Array(Listed) }),
  takingFrom('query', Type.Object({ appId: AppId }), {
    tag,
    scope: ['admin'],
    summary: 'Lists the callbacks of an application and its developer keys',
    methods: ['get'],
    paths: ['/admin/app/callback/list'],
  }),
);

const named = { callbackId: CallbackId };

export const DELETE_CALLBACK = taking(Type.Object(named, { title: 'DeleteCallback' }), {
  tag,
  scope: ['admin'],
  summary: 'Tells a callback nothing more',
  methods: ['post', 'delete'],
  paths: ['/admin/app/callback/delete'],
});

export const ROTATE_CALLBACK = answering(
  Type.Object({ key: Key, secret: Secret, usedFrom: Instant }),
  taking(
    Type.Object(
      {
        ...named,
        useAfterSeconds: optional(
          Type.Integer({
            minimum: 0,
            maximum: 7 * DAY_SECONDS,
            default: 0,
            description: 'So long the old one is used still: time to teach it to the receiver.',
          }),
        ),
      },
      { title: 'RotateCallback' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Makes a new secret for a callback',
      methods: ['post'],
      paths: ['/admin/app/callback/rotate'],
    },
  ),
);

export const TEST_CALLBACK = taking(Type.Object(named, { title: 'TestCallback' }), {
  tag,
  scope: ['admin'],
  summary: 'Sends a ping to a callback, and to the others of the same owner',
  methods: ['post'],
  paths: ['/admin/app/callback/test'],
});

export const RESUME_CALLBACK = taking(
  Type.Object(
    {
      ...named,
      after: optional(Cursor),
      since: optional(
        instant({
          description: 'Tells again what was written from then on; not together with `after`.',
          examples: ['2026-11-26T00:00:00Z'],
        }),
      ),
    },
    { title: 'ResumeCallback' },
  ),
  {
    tag,
    scope: ['admin'],
    summary:
      'Tries a callback again at once; with `after`, from that cursor on, with `since`, from that instant on',
    methods: ['post'],
    paths: ['/admin/app/callback/resume'],
  },
);

const CallId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

const Call = Type.Object(
  {
    callId: CallId,
    timestamp: Type.String({ description: 'When it was made, or asked for while it waits.' }),
    state: oneOf(CALL_STATES),
    result: nullable(Type.String({ description: 'The status of the answer, or what went wrong.' })),
    latencyMs: nullable(Type.Integer()),
    events: Type.Integer({ description: 'How many it told.' }),
    resendOf: nullable(Type.Integer({ description: 'The call that it repeats.' })),
    after: Type.String({
      description: 'A cursor that leads to its first event.',
    }),
  },
  { title: 'CallbackCall' },
);

export type CallAnswer = Static<typeof Call>;

export const LIST_CALLBACK_CALLS = answering(
  Type.Object({
    callbackId: CallbackId,
    calls: Type.Array(Call),
    next: nullable(Type.String({ description: 'Leads to the next page as `after`.' })),
  }),
  takingFrom(
    'query',
    Type.Object({
      ...named,
      after: optional(
        text({ pattern: String.raw`^\d{1,15}$`, description: 'The `next` of the page before.' }),
      ),
      size: optional(Type.Integer({ minimum: 1, maximum: 100, default: DEFAULT_CALLS })),
    }),
    {
      tag,
      scope: ['admin'],
      summary: 'The latest 100 requests to a callback, the latest first',
      methods: ['get'],
      paths: ['/admin/app/callback/calls'],
    },
  ),
);

export const RESEND_CALLBACK_CALL = answering(
  Type.Object({ callId: CallId }),
  taking(Type.Object({ ...named, callId: CallId }, { title: 'ResendCallbackCall' }), {
    tag,
    scope: ['admin'],
    summary: 'Makes a request to a callback again, with the same events',
    methods: ['post'],
    paths: ['/admin/app/callback/resend'],
  }),
);

const Event = Type.Object(
  {
    id: Type.String({ description: 'The same whenever and to whomever it is told.' }),
    type: oneOf(CALLBACK_TYPES),
    at: Instant,
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  { title: 'CallbackEvent' },
);

export const LIST_CALLBACK_EVENTS = answering(
  Type.Object({
    events: Type.Array(Event),
    cursor: nullable(
      Type.String({
        description: 'Leads to what comes next as `after`; null where nothing came yet.',
      }),
    ),
  }),
  takingFrom(
    'query',
    Type.Object({
      ...Owner,
      after: optional(Cursor),
      limit: optional(Type.Integer({ minimum: 1, maximum: MAX_EVENTS, default: DEFAULT_EVENTS })),
    }),
    {
      tag,
      scope: ['read'],
      summary: 'The events that callbacks are told, behind a cursor or from the oldest one on',
      methods: ['get'],
      paths: ['/push/callback/events'],
    },
  ),
);
