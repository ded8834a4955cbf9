import type { StoredMessage } from '@heliograph/db';
import { inSpan, type Logger, type Span, type Tracing } from '@heliograph/runtime';

import { toLogFacts, type RequestOrigin } from '../origin.ts';

/**
 * Accepts messages within a span of the request's trace. Its `traceParent` goes with the messages, so that what becomes of them is told
 * in the same trace, whoever sends them and whenever.
 */
export function acceptInSpan<T>(
  tracing: Tracing | undefined,
  origin: RequestOrigin | undefined,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (tracing === undefined) return work(undefined);
  return inSpan(
    tracing,
    'accept messages',
    {
      kind: 'producer',
      parent: origin?.span,
      facts: {
        'messaging.system': 'heliograph',
        'messaging.destination.name': 'messages',
        'messaging.operation.name': 'accept',
        'messaging.operation.type': 'send',
      },
    },
    work,
  );
}

export function noteAccepted(
  span: Span | undefined,
  messages: readonly Pick<StoredMessage, 'id' | 'appRef'>[],
): void {
  const [first] = messages;
  if (span === undefined || first === undefined) return;
  span.note({
    'messaging.batch.message_count': messages.length,
    'messaging.message.id': messages.length === 1 ? first.id : undefined,
    'heliograph.app.ref': first.appRef,
  });
}

/** For who looks for what a request led to. */
export function noteMessages(
  log: Logger | undefined,
  origin: RequestOrigin | undefined,
  messageIds: readonly string[],
): void {
  if (log?.isLevelEnabled('debug') !== true) return;
  log.debug({ messageIds, ...(origin && toLogFacts(origin)) }, 'messages accepted');
}
