import type { TracedDelivery } from '@heliograph/client';
import { Anchor, Card, Code, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { StateBadge } from '../layout/state-badge.tsx';
import { DeliveryTimeline } from './delivery-timeline.tsx';

/** One push: what it belongs to, what came of it, and every attempt. */
export function DeliveryCard({ delivery }: { readonly delivery: TracedDelivery }) {
  const say = useText();
  return (
    <Card withBorder component="article">
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="xs">
            <StateBadge state={delivery.state} />
            <Text fw={600}>{say(`platform.${delivery.platform}`)}</Text>
            <Text c="dimmed">
              <Origin delivery={delivery} />
            </Text>
          </Group>
          <Text c="dimmed" size="sm">
            <Moment at={delivery.createdAt} />
          </Text>
        </Group>
        <Group gap="lg">
          <Fact name={say('deliveries.userId')}>{delivery.userId}</Fact>
          <Fact name={say('deliveries.deviceId')}>{delivery.deviceId}</Fact>
          <Fact name={say('deliveries.deliveryId')}>{delivery.deliveryId}</Fact>
          <Fact name={say('deliveries.providerId')}>{delivery.providerMessageId}</Fact>
        </Group>
        <DeliveryTimeline delivery={delivery} />
      </Stack>
    </Card>
  );
}

/** The campaign as a link; a message by its id. */
function Origin({
  delivery: { campaignId, runId, messageId },
}: {
  readonly delivery: TracedDelivery;
}) {
  const say = useText();
  if (campaignId === undefined) return <>{say('deliveries.ofMessage', { id: messageId ?? '' })}</>;
  return (
    <Anchor component={Link} to={`/campaigns/${campaignId}/runs/${runId ?? ''}`}>
      {say('deliveries.ofCampaign', { id: campaignId })}
    </Anchor>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  if (children === null || children === undefined) return null;
  return (
    <div>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Code style={{ overflowWrap: 'anywhere' }}>{children}</Code>
    </div>
  );
}
