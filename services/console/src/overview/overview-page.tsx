import type { OverviewGetAnswer } from '@heliograph/client';
import { Alert, SimpleGrid, Stack } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { Backlog } from './backlog.tsx';
import { CurrentPauses } from './current-pauses.tsx';
import { CurrentRuns } from './current-runs.tsx';
import { Dispatchers } from './dispatchers.tsx';
import { EndingCertificates } from './ending-certificates.tsx';
import { HeldDevices } from './held-devices.tsx';
import { isWell } from './is-well.ts';
import { OVERVIEW_KEY } from './overview-key.ts';
import { RecentFailures } from './recent-failures.tsx';
import { TroubledCallbacks } from './troubled-callbacks.tsx';

const REFRESH_MS = 3_000;

/** How it stands: what is sent and waits, what fails, what is stopped, and what will soon want a hand. */
export function OverviewPage() {
  const say = useText();
  const api = useApi();
  const overview = useQuery({
    queryKey: OVERVIEW_KEY,
    queryFn: ({ signal }) => api.overview.get({}, { signal }),
    refetchInterval: REFRESH_MS,
  });
  return (
    <Page title={say('nav.overview')}>
      <QueryView query={overview}>{(now) => <Cards overview={now} />}</QueryView>
    </Page>
  );
}

function Cards({ overview }: { readonly overview: OverviewGetAnswer }) {
  const say = useText();
  return (
    <Stack gap="lg">
      {isWell(overview) && (
        <Alert
          color="green"
          role="status"
          icon={<IconCircleCheck aria-hidden />}
          title={say('overview.allWell')}
        >
          {say('overview.allWellHint')}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <CurrentRuns runs={overview.runs} />
        <Backlog lanes={overview.lanes} />
        <RecentFailures failures={overview.failures} />
        <CurrentPauses pauses={overview.pauses} />
        <HeldDevices held={overview.heldFaults} />
        {overview.dispatchers !== null && <Dispatchers dispatchers={overview.dispatchers} />}
        <EndingCertificates certificates={overview.certificates} />
        <TroubledCallbacks callbacks={overview.callbacks} />
      </SimpleGrid>
    </Stack>
  );
}
