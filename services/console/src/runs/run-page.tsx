import type { RunProgress } from '@heliograph/client';
import { Alert, Anchor, Stack } from '@mantine/core';
import { Link, useParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { NotFoundPage } from '../layout/not-found-page.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { RunControls } from './run-controls.tsx';
import { RunCountsView } from './run-counts-view.tsx';
import { RunFacts } from './run-facts.tsx';
import { RunFailures } from './run-failures.tsx';
import { RunStateBadge } from './run-state-badge.tsx';
import { RunTimelineView } from './run-timeline.tsx';
import { useRun, type RunName } from './use-run.ts';

/** One sending of a campaign, live. */
export function RunPage() {
  const { campaignId, runId } = useParams();
  if (runId === undefined || !/^\d{1,15}$/.test(campaignId ?? '')) return <NotFoundPage />;
  return <Run name={{ campaignId: Number(campaignId), runId }} />;
}

function Run({ name }: { readonly name: RunName }) {
  const say = useText();
  const { found, streamError } = useRun(name);
  return (
    <Page
      title={say('run.title', { id: name.campaignId })}
      actions={found.isSuccess && <RunControls run={found.data} />}
    >
      <Anchor component={Link} to={`/campaigns/${name.campaignId}`}>
        {say('run.toCampaign')}
      </Anchor>
      {streamError !== undefined && (
        <Alert color="orange" role="alert" title={say('run.notLive')}>
          {describeFailure(streamError, say)}
        </Alert>
      )}
      <QueryView query={found}>{(run) => <Story run={run} />}</QueryView>
    </Page>
  );
}

function Story({ run }: { readonly run: RunProgress }) {
  return (
    <Stack gap="lg">
      <RunStateBadge run={run} />
      <RunCountsView run={run} />
      <RunTimelineView run={run} />
      <RunFacts run={run} />
      <RunFailures run={run} />
    </Stack>
  );
}
