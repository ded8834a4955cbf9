import type { Campaign, RunProgress } from '@heliograph/client';
import { Checkbox, Group, NumberInput, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQueryClient } from '@tanstack/react-query';
import { IconSpeakerphone } from '@tabler/icons-react';
import { useRef } from 'react';
import { useNavigate } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { useCampaignTitle } from './campaign-title.ts';
import { NO_OPTIONS, toOptions, type LiveFields } from './live-options.ts';
import { SendStep } from './send-step.tsx';
import { startRun } from './start-run.ts';
import { campaignKey, CAMPAIGNS_KEY, useAudienceChange } from './use-campaign.ts';

const MAX_RATE = 1_000_000;

interface LiveSendProps {
  readonly campaign: Campaign;
  readonly dryRun: RunProgress | undefined;
  readonly wasSent: boolean;
}

/** Sends to everybody, once somebody has typed how many that are. */
export function LiveSend({ campaign, dryRun, wasSent }: LiveSendProps) {
  const say = useText();
  const form = useForm<LiveFields>({ initialValues: NO_OPTIONS });
  return (
    <SendStep title={say('send.live')}>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          type="datetime-local"
          label={say('send.startAt')}
          description={say('send.startAtHint')}
          {...form.getInputProps('startAt')}
        />
        <NumberInput
          label={say('send.rate')}
          description={say('send.rateHint')}
          min={0.01}
          max={MAX_RATE}
          {...form.getInputProps('ratePerSecond')}
        />
        <NumberInput
          label={say('send.canary')}
          description={say('send.canaryHint')}
          min={0.01}
          max={99.99}
          {...form.getInputProps('canaryPercent')}
        />
        <NumberInput
          label={say('send.maxFailure')}
          description={say('send.maxFailureHint')}
          min={0}
          max={100}
          {...form.getInputProps('maxFailurePercent')}
        />
      </SimpleGrid>
      {wasSent && (
        <Checkbox
          label={say('send.resend')}
          {...form.getInputProps('resend', { type: 'checkbox' })}
        />
      )}
      <Submit
        campaign={campaign}
        dryRun={dryRun}
        fields={form.values}
        isBlocked={wasSent && !form.values.resend}
      />
    </SendStep>
  );
}

interface SubmitProps {
  readonly campaign: Campaign;
  readonly dryRun: RunProgress | undefined;
  readonly fields: LiveFields;
  /** It was sent, and is not to be sent again. */
  readonly isBlocked: boolean;
}

function Submit({ campaign, dryRun, fields, isBlocked }: SubmitProps) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const titleOf = useCampaignTitle();
  // One key for each opening of the dialog: pressing twice, or once more after trouble, sends once.
  const key = useRef('');
  const { isChanged } = useAudienceChange(campaign.id);
  const isCounted = dryRun !== undefined && dryRun.timestampFinished !== null;
  const count = isCounted ? dryRun.counts.total.targeted : 0;
  const obstacle = findObstacle({ isBlocked, isCounted, isChanged, count });

  const send = async () => {
    const { runId } = await startRun(api, campaign.id, toOptions(fields), key.current);
    await navigate(`/campaigns/${campaign.id}/runs/${runId}`);
    await cache.invalidateQueries({ queryKey: campaignKey(campaign.id) });
    await cache.invalidateQueries({ queryKey: CAMPAIGNS_KEY });
  };
  const asked = { title: titleOf(campaign), count };

  return (
    <Group>
      <ConfirmButton
        label={say('send.submit')}
        color="indigo"
        leftSection={<IconSpeakerphone aria-hidden size={16} />}
        disabled={obstacle !== undefined}
        question={
          <>
            <Text>
              {fields.startAt === ''
                ? say('send.question', asked)
                : say('send.questionLater', { ...asked, at: new Date(fields.startAt) })}
            </Text>
            <Text c="dimmed" component="div">
              {say('send.countedAt')}: <Moment at={dryRun?.timestampFinished} />
            </Text>
          </>
        }
        typed={String(count)}
        typedLabel={say('send.typed', { count: String(count) })}
        onOpen={() => (key.current = crypto.randomUUID())}
        act={send}
      />
      {obstacle !== undefined && <Text c="dimmed">{say(obstacle)}</Text>}
    </Group>
  );
}

function findObstacle({
  isBlocked,
  isCounted,
  isChanged,
  count,
}: {
  readonly isBlocked: boolean;
  readonly isCounted: boolean;
  readonly isChanged: boolean;
  readonly count: number;
}) {
  if (isBlocked) return 'send.isSent' as const;
  if (!isCounted) return 'send.needsCount' as const;
  if (isChanged) return 'send.changed' as const;
  return count === 0 ? ('send.nobody' as const) : undefined;
}
