import type { ClaimedChunk } from '@heliograph/db';
import type { Span, Tracing } from '@heliograph/runtime';

import type { ChunkTodo } from './chunk-push.ts';

/*
 * A campaign has too many chunks for one trace: each claim of one is a trace of its own, with a link to the request that asked for the
 * run. No delivery of it has a span.
 */

export function startChunkSpan(
  tracing: Tracing | undefined,
  { runId, ordinal, appRef, campaignId, provider, traceParent }: ClaimedChunk,
): Span | undefined {
  return tracing?.start('send chunk', {
    kind: 'consumer',
    links: traceParent === null ? [] : [traceParent],
    facts: {
      'messaging.system': 'heliograph',
      'messaging.destination.name': 'campaigns',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'process',
      'heliograph.run.id': runId,
      'heliograph.campaign.id': campaignId,
      'heliograph.chunk': ordinal,
      'heliograph.app.ref': appRef,
      'heliograph.provider': provider,
    },
  });
}

/** All that goes to one host of the provider. */
export function startFeedSpan(
  tracing: Tracing | undefined,
  parent: Span | undefined,
  { environment }: ChunkTodo,
  { runId, provider }: ClaimedChunk,
): Span | undefined {
  if (parent === undefined) return undefined;
  return tracing?.start(`push ${provider}`, {
    kind: 'client',
    parent,
    facts: {
      'heliograph.run.id': runId,
      'heliograph.provider': provider,
      'heliograph.environment': environment === '' ? undefined : environment,
    },
  });
}
