import type { Provider, RunControl } from '@heliograph/core';
import { readRunTimeline, type RunTally } from '@heliograph/db';

import { ofCampaign } from '../../access/subject.ts';
import type { CampaignDeps } from '../../campaigns/campaign-deps.ts';
import { controlRun } from '../../campaigns/control-run.ts';
import { getRun } from '../../campaigns/get-run.ts';
import { listRuns } from '../../campaigns/list-runs.ts';
import { getRunProgress, type RunProgress } from '../../campaigns/run-progress.ts';
import { sendLive } from '../../campaigns/send-live.ts';
import { route, streamRoute, type Route } from '../../http/endpoint.ts';
import { openEventStream } from '../../http/event-stream.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import { originOf } from '../../http/request-span.ts';
import { toWireAppId } from './fields.ts';
import { findIdempotency } from './message-routes.ts';
import type { Paging } from './paging.ts';
import {
  APPROVE_RUN,
  CANCEL_RUN,
  GET_RUN,
  GET_RUN_TIMELINE,
  LIST_RUNS,
  PAUSE_RUN,
  RESUME_RUN,
  SEND_LIVE,
  SET_RUN_RATE,
  WATCH_RUN,
  type RunProgressAnswer,
} from './run-endpoints.ts';

export interface RunRouteDeps extends CampaignDeps {
  /** How often a stream of events shows that it lives, ms; undefined: every 15 s. */
  readonly heartbeatMs?: number | undefined;
}

export function runRoutes(deps: RunRouteDeps): readonly Route[] {
  return [
    route(SEND_LIVE, ofCampaign(), async ({ id, input }, { req, res, caller }) => {
      const { progress, replayed } = await sendLive(deps, {
        campaignId: id,
        resend: input.resend ?? false,
        dryRun: input.dryRun ?? false,
        startAt: input.startAt === undefined ? undefined : parseInstant(input.startAt),
        ratePerSecond: input.ratePerSecond,
        canaryPercent: input.canaryPercent,
        maxFailurePercent: input.maxFailurePercent,
        isGone: () => res.destroyed,
        origin: originOf(res),
        ...findIdempotency(req, caller, `/push/campaign/send/live/${id}`),
      });
      if (replayed) res.setHeader('Idempotency-Replayed', 'true');
      return toProgress(progress);
    }),

    route(GET_RUN, ofCampaign(), async ({ id, input }) => {
      const run = await getRun(deps, id, input.runId);
      return toProgress(await getRunProgress(deps.db, run.id));
    }),

    route(GET_RUN_TIMELINE, ofCampaign(), async ({ id, input }) => {
      const run = await getRun(deps, id, input.runId);
      const { intervalSeconds, points } = await readRunTimeline(deps.db, run.id);
      return {
        runId: run.id,
        campaignId: run.campaignId,
        intervalSeconds,
        points: points.map(({ at, ...counts }) => ({ timestamp: toWireDate(at), ...counts })),
      };
    }),

    route(LIST_RUNS, ofCampaign(toNoRuns), async ({ id, input }) => {
      const runs = await listRuns(deps, id, input);
      return { ...input, content: { campaignId: id, runs: runs.map(toProgress) } };
    }),

    streamRoute(WATCH_RUN, ofCampaign(), async ({ id, input }, { res }) => {
      const run = await getRun(deps, id, input.runId);
      const progress = await getRunProgress(deps.db, run.id);
      // Nothing would tell us later that the caller went meanwhile.
      if (res.destroyed) return;
      deps.runWatcher.watch(progress, (watch) => {
        const stream = openEventStream(res, {
          heartbeatMs: deps.heartbeatMs,
          onDrain: () => watch.wake(),
          onClose: () => watch.stop(),
        });
        return {
          isReady: () => stream.isDrained(),
          onProgress: (now) => stream.send('progress', toProgress(now)),
          onOver(last) {
            stream.send('end', { runId: last.run.id, state: last.run.state });
            stream.end();
          },
          onClosed: () => stream.end(),
        };
      });
    }),

    route(PAUSE_RUN, ofCampaign(), ({ id, input }) => control('pause', id, input)),
    route(RESUME_RUN, ofCampaign(), ({ id, input }) => control('resume', id, input)),
    route(CANCEL_RUN, ofCampaign(), ({ id, input }) => control('cancel', id, input)),
    route(APPROVE_RUN, ofCampaign(), ({ id, input }) => control('approve', id, input)),
    route(SET_RUN_RATE, ofCampaign(), ({ id, input }) => control('rate', id, input)),
  ];

  async function control(
    name: RunControl,
    campaignId: number,
    input: { readonly runId?: string; readonly ratePerSecond?: number },
  ): Promise<RunProgressAnswer> {
    const { runId, ratePerSecond } = input;
    return toProgress(await controlRun(deps, { campaignId, runId, control: name, ratePerSecond }));
  }
}

/** The page of a campaign that there is not, which has no runs. */
function toNoRuns({ id, input }: { readonly id: number; readonly input: Paging }) {
  return { ...input, content: { campaignId: id, runs: [] } };
}

export function toProgress({ run, counts, unsent, etaSeconds }: RunProgress): RunProgressAnswer {
  return {
    runId: run.id,
    campaignId: run.campaignId,
    appId: toWireAppId(run.appId),
    state: run.state,
    reason: run.reason,
    dryRun: run.dryRun,
    ratePerSecond: run.ratePerSecond,
    canaryPercent: run.canaryPercent,
    maxFailurePercent: run.maxFailurePercent,
    timestampCreated: toWireDate(run.createdAt),
    timestampStart: toWireDate(run.startAt),
    timestampStarted: toNullableDate(run.startedAt),
    timestampMaterialised: toNullableDate(run.materialisedAt),
    timestampApproved: toNullableDate(run.approvedAt),
    timestampFinished: toNullableDate(run.finishedAt),
    users: { total: run.users, withoutDevice: run.usersWithoutDevice },
    excluded: { ios: toExcluded(run, 'apns'), android: toExcluded(run, 'fcm') },
    counts: { ios: counts.apns, android: counts.fcm, total: counts.total },
    failures: unsent.map(({ provider, ...rest }) => ({ platform: PLATFORMS[provider], ...rest })),
    ratePerSecondMeasured: run.measuredRate,
    etaSeconds,
  };
}

const PLATFORMS = { apns: 'ios', fcm: 'android' } as const satisfies Record<Provider, string>;

function toExcluded({ exclusions }: RunTally, provider: Provider): Record<string, number> {
  return Object.fromEntries(
    exclusions
      .filter((one) => one.provider === provider)
      .map(({ reason, count }) => [reason, count]),
  );
}

function toNullableDate(at: Date | null): string | null {
  return at === null ? null : toWireDate(at);
}
