import { DELIVERY_STATES, RUN_REASONS, RUN_STATES } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { ofCampaign } from './campaign-path.ts';
import { answering, streaming, taking, takingFrom, takingOptional } from './envelope.ts';
import { instant, nullable, oneOf, optional, RatePerSecond, text, WireAppId } from './fields.ts';
import { idempotencyHeaders } from './message-endpoints.ts';
import { answeringPage, takingPaging } from './paging.ts';

const tag = 'Campaign run';

const Counts = Type.Object(
  {
    targeted: Type.Integer({ description: 'sent + failed + expired + skipped + pending' }),
    sent: Type.Integer(),
    pending: Type.Integer(),
    failed: Type.Integer(),
    expired: Type.Integer(),
    skipped: Type.Integer(),
    retrying: Type.Integer({ description: 'Of the pending ones: tried already.' }),
    ambiguous: Type.Integer({ description: 'Deliveries that a provider once did not answer.' }),
  },
  { title: 'RunCounts' },
);

const Exclusions = Type.Unsafe<Readonly<Record<string, number>>>({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description: 'Devices of the users that are not in the audience, by reason.',
});

export const Progress = Type.Object(
  {
    runId: Type.String(),
    campaignId: Type.Integer(),
    appId: WireAppId,
    state: oneOf(RUN_STATES),
    reason: nullable(oneOf(RUN_REASONS, 'Why it is paused or halted.')),
    dryRun: Type.Boolean(),
    ratePerSecond: nullable(Type.Number()),
    canaryPercent: nullable(Type.Number()),
    maxFailurePercent: nullable(Type.Number()),
    timestampCreated: Type.String(),
    timestampStart: Type.String({ description: 'Not started before.' }),
    timestampStarted: nullable(Type.String()),
    timestampMaterialised: nullable(Type.String({ description: 'Its audience was complete.' })),
    timestampApproved: nullable(Type.String({ description: 'Its canary was.' })),
    timestampFinished: nullable(Type.String()),
    users: Type.Object({ total: Type.Integer(), withoutDevice: Type.Integer() }),
    excluded: Type.Object({ ios: Exclusions, android: Exclusions }),
    counts: Type.Object({ ios: Counts, android: Counts, total: Counts }),
    failures: Type.Array(
      Type.Object({
        platform: oneOf(['ios', 'android']),
        state: oneOf(DELIVERY_STATES),
        reason: nullable(Type.String()),
        count: Type.Integer(),
      }),
      { description: 'Deliveries that failed, expired or were skipped; the most first.' },
    ),
    ratePerSecondMeasured: Type.Number(),
    etaSeconds: nullable(Type.Integer({ description: 'Until nothing is pending.' })),
  },
  { title: 'RunProgress' },
);

export type RunProgressAnswer = Static<typeof Progress>;

const RunId = optional(
  text({ minLength: 1, description: 'The latest run that is no dry run, unless given.' }),
);
const WhichRun = Type.Object({ runId: RunId }, { title: 'WhichRun' });

export const SEND_LIVE = ofCampaign(
  answering(
    Progress,
    takingOptional(
      Type.Object(
        {
          resend: optional(
            Type.Boolean({ description: 'Send it again, whoever has got it already.' }),
          ),
          startAt: optional(
            instant({
              description: 'Not before; at most 366 days ahead. At once where it is over.',
              examples: ['2026-12-24T08:00:00+01:00'],
            }),
          ),
          ratePerSecond: optional(RatePerSecond),
          canaryPercent: optional(
            Type.Number({
              exclusiveMinimum: 0,
              exclusiveMaximum: 100,
              description: 'Send so much of the audience first.',
            }),
          ),
          maxFailurePercent: optional(
            Type.Number({
              minimum: 0,
              maximum: 100,
              description: 'Halt when more of what was tried has failed.',
            }),
          ),
          dryRun: optional(Type.Boolean({ description: 'Count the audience and send nothing.' })),
        },
        { title: 'SendLiveCampaign' },
      ),
      {
        tag,
        scope: ['campaigns:send'],
        summary: 'Sends a campaign to its users, once',
        methods: ['post'],
        paths: ['/push/campaign/send/live/:id'],
        headers: idempotencyHeaders,
      },
    ),
  ),
);

export const GET_RUN = ofCampaign(
  answering(
    Progress,
    takingFrom('query', WhichRun, {
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'How far a run is',
      methods: ['get'],
      paths: ['/push/campaign/:id/run'],
    }),
  ),
);

export const GET_RUN_TIMELINE = ofCampaign(
  answering(
    Type.Object(
      {
        runId: Type.String(),
        campaignId: Type.Integer(),
        intervalSeconds: Type.Integer({
          description: 'Between two points; the last one may come sooner.',
        }),
        points: Type.Array(
          Type.Object({
            timestamp: Type.String(),
            sent: Type.Integer(),
            failed: Type.Integer(),
            expired: Type.Integer(),
            skipped: Type.Integer(),
          }),
          {
            description:
              'What the counts were at that time, all platforms together, from the start of the run to its end or now: about 180 at most. None before it starts.',
          },
        ),
      },
      { title: 'RunTimeline' },
    ),
    takingFrom('query', WhichRun, {
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'What had come of a run at each time',
      methods: ['get'],
      paths: ['/push/campaign/:id/run/timeline'],
    }),
  ),
);

export const LIST_RUNS = ofCampaign(
  answeringPage(
    Type.Object({ campaignId: Type.Integer(), runs: Type.Array(Progress) }),
    takingPaging({
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'Lists the runs of a campaign, the latest first',
      methods: ['get'],
      paths: ['/push/campaign/:id/run/list'],
    }),
  ),
);

export const WATCH_RUN = ofCampaign(
  streaming(
    'Server-sent events: `progress`, whose data is a RunProgress, and `end` when the run is over.',
    takingFrom('query', WhichRun, {
      tag,
      scope: ['campaigns', 'campaigns:send', 'read'],
      summary: 'How far a run is, told whenever it changes',
      methods: ['get'],
      paths: ['/push/campaign/:id/run/events'],
    }),
  ),
);

export const PAUSE_RUN = controlling('pause', 'Stops sending for the time being');
export const RESUME_RUN = controlling('resume', 'Goes on with a run that is paused or halted');
export const CANCEL_RUN = controlling('cancel', 'Ends a run; what is not sent yet is skipped');
export const APPROVE_RUN = controlling('approve', 'Lets the rest of the audience follow a canary');

function controlling(name: string, summary: string) {
  const doc = {
    tag,
    scope: ['campaigns:send'],
    summary,
    methods: ['post'],
    paths: [`/push/campaign/:id/run/${name}`],
  } as const;
  return ofCampaign(answering(Progress, takingOptional(WhichRun, doc)));
}

export const SET_RUN_RATE = ofCampaign(
  answering(
    Progress,
    taking(
      Type.Object(
        { runId: RunId, ratePerSecond: optional(RatePerSecond) },
        { title: 'SetRunRate' },
      ),
      {
        tag,
        scope: ['campaigns:send'],
        summary: 'Changes how fast a run is sent',
        methods: ['post'],
        paths: ['/push/campaign/:id/run/rate'],
      },
    ),
  ),
);
