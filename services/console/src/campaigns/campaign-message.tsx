import type { Campaign } from '@heliograph/client';
import { Button, Code, Grid, Group, Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { IconCopy, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { Moment } from '../layout/moment.tsx';
import { useMay } from '../session/session-gate.tsx';
import { MessagePreview } from './message-preview.tsx';
import { CAMPAIGNS_KEY } from './use-campaign.ts';

/** What a campaign says; it is not changed, another one is made of it. */
export function CampaignMessage({ campaign }: { readonly campaign: Campaign }) {
  const { id, appId, message } = campaign;
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const mayChange = useMay('campaigns');
  const mayPreview = useMay('campaigns', 'campaigns:send');
  const remove = async () => {
    await api.campaigns.delete(id);
    await navigate('/campaigns');
    await cache.invalidateQueries({ queryKey: CAMPAIGNS_KEY });
  };
  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, md: 6 }}>
        <Stack>
          <MessageFacts campaign={campaign} />
          {mayChange && (
            <Group>
              <Button
                component={Link}
                to={`/campaigns/new?from=${id}`}
                variant="default"
                leftSection={<IconCopy aria-hidden size={16} />}
              >
                {say('campaign.useAsTemplate')}
              </Button>
              <ConfirmButton
                label={say('campaign.delete')}
                color="red"
                variant="light"
                leftSection={<IconTrash aria-hidden size={16} />}
                question={say('campaign.deleteQuestion')}
                act={remove}
              />
            </Group>
          )}
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <MessagePreview appId={String(appId)} message={message} withSizes={mayPreview} />
      </Grid.Col>
    </Grid>
  );
}

function MessageFacts({ campaign }: { readonly campaign: Campaign }) {
  const say = useText();
  const { appId, message, timestampCreated } = campaign;
  const { badge, sound, category, collapseKey, validUntil, extras } = message;
  return (
    <Stack>
      <Facts>
        <Fact name={say('campaigns.app')}>{appId}</Fact>
        <Fact name={say('campaigns.created')}>
          <Moment at={timestampCreated} />
        </Fact>
        {badge !== undefined && <Fact name={say('campaigns.badge')}>{badge}</Fact>}
        {sound !== undefined && <Fact name={say('campaigns.sound')}>{sound}</Fact>}
        {category !== undefined && <Fact name={say('campaigns.category')}>{category}</Fact>}
        {collapseKey !== undefined && (
          <Fact name={say('campaigns.collapseKey')}>{collapseKey}</Fact>
        )}
        {validUntil !== undefined && (
          <Fact name={say('campaigns.validUntil')}>
            <Moment at={toInstant(validUntil)} />
          </Fact>
        )}
      </Facts>
      {extras !== undefined && (
        <Fact name={say('campaigns.extras')}>
          <Code block tabIndex={0} role="region" aria-label={say('campaigns.extras')}>
            {JSON.stringify(extras, null, 2)}
          </Code>
        </Fact>
      )}
    </Stack>
  );
}

/** A number is seconds since 1970. */
function toInstant(validUntil: string | number): string {
  return typeof validUntil === 'string' ? validUntil : new Date(validUntil * 1000).toISOString();
}
