import type { RunProgress } from '@heliograph/client';
import { Anchor, Group, Progress, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { paceOf } from '../runs/pace-of.ts';
import { RunStateBadge } from '../runs/run-state-badge.tsx';
import { toClock } from '../runs/to-clock.ts';
import { OverviewCard } from './overview-card.tsx';

/** Campaigns that are being sent, or wait for it. */
export function CurrentRuns({ runs }: { readonly runs: readonly RunProgress[] }) {
  const say = useText();
  return (
    <OverviewCard title={say('overview.runs')} empty={say('overview.noRuns')}>
      {runs.map((run) => (
        <CurrentRun key={run.runId} run={run} />
      ))}
    </OverviewCard>
  );
}

function CurrentRun({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const { campaignId, runId } = run;
  const { targeted, pending } = run.counts.total;
  const done = targeted - pending;
  const { rate, secondsLeft } = paceOf(run);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Anchor component={Link} to={`/campaigns/${campaignId}/runs/${runId}`}>
          {say('deliveries.ofCampaign', { id: campaignId })}
        </Anchor>
        <RunStateBadge run={run} />
      </Group>
      <Progress
        value={targeted === 0 ? 0 : (100 * done) / targeted}
        aria-label={say('overview.progressOf', { id: campaignId })}
      />
      <Group justify="space-between">
        <Text size="sm">{say('run.done', { done, targeted })}</Text>
        <Text size="sm" c="dimmed">
          {say('run.perSecond', { rate })}
          {secondsLeft !== null &&
            `, ${say('run.eta')}: ${say('run.etaSeconds', toClock(secondsLeft))}`}
        </Text>
      </Group>
    </Stack>
  );
}
