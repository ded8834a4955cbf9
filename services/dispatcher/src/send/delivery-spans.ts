import type { ClaimedDelivery, DeliveryUpdate } from '@heliograph/db';
import type { PushProvider } from '@heliograph/providers';
import type { Logger, Span, Tracing } from '@heliograph/runtime';

/*
 * A message that was accepted within a trace is sent within it: from the claim to the record of its outcome, with a span for each request
 * to its provider. A claim is for messages of many traces, so it is a trace of its own with links to theirs.
 */

/** A provider's words come from the network. */
const MAX_REASON = 100;

/** A delivery that is being sent. */
export interface DeliveryInHand extends ClaimedDelivery {
  /** Where its message is traced. */
  readonly span?: Span | undefined;
}

/** Notes a claim that took messages which are traced. */
export function noteClaim(
  tracing: Tracing | undefined,
  claimed: readonly ClaimedDelivery[],
  startedAt: Date,
): void {
  if (tracing === undefined) return;
  const links = new Set(claimed.flatMap(({ traceParent }) => traceParent ?? []));
  if (links.size === 0) return;
  tracing
    .start('claim messages', {
      kind: 'consumer',
      startedAt,
      links: [...links],
      facts: {
        ...toFacts('claim', 'receive'),
        'messaging.batch.message_count': claimed.length,
      },
    })
    .end();
}

export function takeInHand(
  tracing: Tracing | undefined,
  delivery: ClaimedDelivery,
): DeliveryInHand {
  if (tracing === undefined || typeof delivery.traceParent !== 'string') return delivery;
  const span = tracing.start('send message', {
    kind: 'consumer',
    parent: delivery.traceParent,
    facts: {
      ...toFacts('send', 'process'),
      'messaging.message.id': delivery.messageId,
      'heliograph.delivery.id': delivery.id,
      'heliograph.app.ref': delivery.appRef,
      'heliograph.provider': delivery.provider,
      'heliograph.attempts': delivery.attempts,
    },
  });
  return { ...delivery, span };
}

/** What is about to be recorded. */
export function noteUpdate(log: Logger, delivery: DeliveryInHand, update: DeliveryUpdate): void {
  const { state, reason } = update;
  delivery.span?.note({
    'heliograph.delivery.state': state,
    'heliograph.delivery.reason': reason ?? undefined,
  });
  if (log.isLevelEnabled('debug'))
    log.debug({ ...toLogFacts(delivery), state, reason }, 'delivery judged');
}

/** Sends with a span for each request. */
export function traceSends(
  tracing: Tracing | undefined,
  { span: parent, provider: name }: DeliveryInHand,
  provider: PushProvider,
): Pick<PushProvider, 'send'> {
  if (tracing === undefined || parent === undefined) return provider;
  return {
    async send(push) {
      const span = tracing.start(`push ${name}`, {
        kind: 'client',
        parent,
        facts: { 'heliograph.provider': name, 'heliograph.delivery.id': push.deliveryId },
      });
      try {
        const attempt = await provider.send(push);
        const { outcome, status, endpoint } = attempt;
        span.note({
          'http.response.status_code': status,
          ...toServer(endpoint),
          'heliograph.outcome': outcome.kind,
        });
        span.end(outcome.kind === 'sent' ? undefined : outcome.reason.slice(0, MAX_REASON));
        return attempt;
      } finally {
        span.end('internal_error');
      }
    },
  };
}

/** Nothing where nobody was asked. */
function toServer(endpoint: string) {
  const url = `https://${endpoint}`;
  if (!URL.canParse(url)) return {};
  const { hostname, port } = new URL(url);
  return { 'server.address': hostname, 'server.port': Number(port || 443) };
}

/** What a line of the log says of a delivery. */
export function toLogFacts({ id, messageId, appRef, span }: DeliveryInHand) {
  return { deliveryId: id, messageId, appRef, ...span?.ids };
}

function toFacts(name: string, type: string) {
  return {
    'messaging.system': 'heliograph',
    'messaging.destination.name': 'messages',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
  };
}
