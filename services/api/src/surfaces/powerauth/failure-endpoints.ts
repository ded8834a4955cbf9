import { FAILURE_STATES } from '@heliograph/db';
import { Type } from '@sinclair/typebox';

import { LANES } from '../../deliveries/trace-deliveries.ts';
import { answering, taking, takingFrom } from './envelope.ts';
import {
  AppId,
  instant,
  nullable,
  oneOf,
  optional,
  Platform,
  text,
  UUID_PATTERN,
  WireAppId,
} from './fields.ts';
import { TracedDelivery } from './trace-endpoints.ts';

const tag = 'Failure';
const since = optional(
  instant({
    description: 'From then on; a day before `until` unless given.',
    examples: ['2026-11-25T00:00:00Z'],
  }),
);
const until = optional(
  instant({ description: 'Before then; now unless given.', examples: ['2026-11-26T00:00:00Z'] }),
);
const lane = oneOf(LANES);
const state = oneOf(FAILURE_STATES);
const reason = text({
  maxLength: 200,
  description: 'As in the list of failures, and with the case of its letters.',
});
const platform = oneOf(['ios', 'android']);
const next = nullable(
  Type.String({ description: 'Leads on as `after`. Null where there is nothing more.' }),
);

export const MAX_FAILURES = 1000;

export const Failure = Type.Object(
  {
    appId: WireAppId,
    platform,
    lane,
    state,
    reason: Type.String(),
    count: Type.Integer({ description: 'Those that failed in these hours and were not replayed.' }),
    failed: Type.Integer({ description: 'Those that failed in these hours, replayed or not.' }),
    replayed: Type.Integer({ description: 'Of those, the ones that were put back.' }),
    firstAt: Type.String(),
    lastAt: Type.String(),
  },
  { title: 'Failure' },
);

export const LIST_FAILURES = answering(
  Type.Object({
    since: Type.String({ description: 'The hour in which the period begins.' }),
    until: Type.String(),
    failureList: Type.Array(Failure),
  }),
  takingFrom(
    'query',
    Type.Object({
      appId: optional(AppId),
      platform: optional(Platform),
      lane: optional(lane),
      state: optional(state),
      since,
      until,
    }),
    {
      tag,
      scope: ['read'],
      summary: `What failed for good or expired, by cause, in the hours of a period; at most ${MAX_FAILURES} causes, those of most deliveries first`,
      methods: ['get'],
      paths: ['/push/failure/list'],
    },
  ),
);

export const DEFAULT_FAILED = 50;
const MAX_FAILED = 200;

export const LIST_FAILED = answering(
  Type.Object({ deliveries: Type.Array(TracedDelivery), next }),
  takingFrom(
    'query',
    Type.Object({
      appId: AppId,
      platform: Platform,
      lane,
      state: optional(oneOf(FAILURE_STATES, '`failed` unless given.')),
      reason,
      since,
      until,
      after: optional(text({ maxLength: 1000, description: 'The `next` of the page before.' })),
      size: optional(Type.Integer({ minimum: 1, maximum: MAX_FAILED, default: DEFAULT_FAILED })),
    }),
    {
      tag,
      scope: ['read'],
      summary: 'The deliveries behind one cause of the list of failures',
      methods: ['get'],
      paths: ['/push/failure/deliveries'],
    },
  ),
);

const Left = Type.Object(
  {
    ambiguous: Type.Integer({
      description: 'A provider once did not answer, so they may have been shown.',
    }),
    unreachable: Type.Integer({
      description: 'The device is gone, somebody else’s, or without a push token that is alive.',
    }),
    over: Type.Integer({ description: 'The expiry of the message is over.' }),
    cancelled: Type.Integer({ description: 'Their run was cancelled.' }),
  },
  { title: 'LeftFailures' },
);

export const REPLAY_FAILED = answering(
  Type.Object({
    dryRun: Type.Boolean(),
    lanes: Type.Array(lane, { description: 'What was looked through.' }),
    replayed: Type.Integer({ description: 'Put back to be sent again, or would be.' }),
    left: Left,
    more: Type.Boolean({
      description:
        'There was no time for all of them, or some were just being worked on: ask again with `next` as `after`.',
    }),
    next,
  }),
  taking(
    Type.Object(
      {
        appId: AppId,
        platform: optional(Platform),
        lane: optional(oneOf(LANES, 'Unless given, those that the key may send in.')),
        state: optional(oneOf(FAILURE_STATES, 'Both unless given.')),
        reason: optional(reason),
        messageId: optional(
          text({ pattern: UUID_PATTERN, description: 'Only of this message, whenever it was.' }),
        ),
        runId: optional(
          text({ pattern: UUID_PATTERN, description: 'Only of this run, whenever it was.' }),
        ),
        since,
        until,
        validUntil: optional(
          instant({
            description:
              'They are sent until then. Unless given, only those whose message has not expired are.',
            examples: ['2026-11-26T18:00:00Z'],
          }),
        ),
        includeAmbiguous: optional(
          Type.Boolean({
            default: false,
            description: 'Also those that may have been shown already.',
          }),
        ),
        dryRun: optional(Type.Boolean({ default: false, description: 'Only counts them.' })),
        after: optional(text({ maxLength: 1000, description: 'The `next` of the answer before.' })),
      },
      { title: 'ReplayFailures' },
    ),
    {
      tag,
      scope: ['send', 'campaigns:send'],
      summary:
        'Puts failed deliveries back to be sent again: `send` for those of messages, `campaigns:send` for those of campaigns',
      methods: ['post'],
      paths: ['/push/failure/replay'],
      headers: {
        'Idempotency-Key':
          'A repeat with the same key and body, within 24 hours, replays nothing a second time.',
      },
    },
  ),
);
