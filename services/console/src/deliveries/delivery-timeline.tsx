import type { TracedDelivery } from '@heliograph/client';
import { Text, Timeline } from '@mantine/core';
import { IconCheck, IconClock, IconInbox, IconX } from '@tabler/icons-react';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';

/** Accepted, each attempt with what the provider said, and what happens next or how it ended. */
export function DeliveryTimeline({ delivery }: { readonly delivery: TracedDelivery }) {
  const say = useText();
  const { history, state, reason, nextAttemptAt, finishedAt } = delivery;
  const hasEnd = state !== 'pending';
  return (
    <Timeline bulletSize={22} lineWidth={2} active={history.length + (hasEnd ? 1 : 0)}>
      <Timeline.Item
        bullet={<IconInbox aria-hidden size={12} />}
        title={say('deliveries.accepted')}
      >
        <When at={delivery.createdAt} />
      </Timeline.Item>
      {history.map((attempt, index) => (
        <Timeline.Item
          key={attempt.at}
          bullet={
            attempt.outcome === 'sent' ? (
              <IconCheck aria-hidden size={12} />
            ) : (
              <IconX aria-hidden size={12} />
            )
          }
          title={say('deliveries.attempt', { number: index + 1 })}
        >
          <Text size="sm">
            {say('deliveries.answer', {
              endpoint: attempt.endpoint,
              outcome: attempt.outcome,
              reason: attempt.reason ?? '–',
              status: attempt.status ?? '–',
              milliseconds: attempt.latencyMs,
            })}
          </Text>
          <When at={attempt.at} />
        </Timeline.Item>
      ))}
      <Timeline.Item
        bullet={hasEnd ? <IconCheck aria-hidden size={12} /> : <IconClock aria-hidden size={12} />}
        title={say(`state.${state}`)}
      >
        {reason !== undefined && <Text size="sm">{reason}</Text>}
        {!hasEnd && (
          <Text size="sm">
            {nextAttemptAt === undefined ? say('deliveries.nextSoon') : say('deliveries.next')}
          </Text>
        )}
        <When at={hasEnd ? finishedAt : nextAttemptAt} />
      </Timeline.Item>
    </Timeline>
  );
}

function When({ at }: { readonly at: string | undefined }) {
  if (at === undefined) return null;
  return (
    <Text size="xs" c="dimmed">
      <Moment at={at} />
    </Text>
  );
}
