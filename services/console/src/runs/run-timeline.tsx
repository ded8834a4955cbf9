import type { RunProgress, RunTimeline } from '@heliograph/client';
import { Box, Button, Card, Group, Skeleton, Stack, Table, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useId, useState } from 'react';
import { useIntl } from 'react-intl';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { QueryView } from '../layout/query-view.tsx';
import { ScrollingTable } from '../layout/scrolling-table.tsx';
import { OUTCOME_PARTS } from './outcome-parts.ts';
import { toSteps } from './to-steps.ts';
import { toTimeFormat } from './time-format.ts';
import { runKey } from './use-run.ts';

const REFRESH_MS = 3_000;
const CHART_HEIGHT = 260;

/** It draws with a library that no other page needs. */
const TimelineChart = lazy(async () => ({
  default: (await import('./timeline-chart.tsx')).TimelineChart,
}));

/** How the outcomes of a run came about over time. Nothing before it starts. */
export function RunTimelineView({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const timeline = useTimeline(run);
  if (run.dryRun || run.timestampStarted === null) return null;
  return (
    <Stack component="section" gap="sm">
      <Title order={2} size="h4">
        {say('timeline.title')}
      </Title>
      <QueryView query={timeline}>
        {(found) => (
          <Card withBorder>
            <Drawn run={run} timeline={found} />
          </Card>
        )}
      </QueryView>
    </Stack>
  );
}

function useTimeline({ campaignId, runId, timestampFinished, ...run }: RunProgress) {
  const api = useApi();
  return useQuery({
    // The end of a run asks once more.
    queryKey: [...runKey({ campaignId, runId }), 'timeline', timestampFinished],
    queryFn: ({ signal }) => api.runs.timeline(campaignId, { runId }, { signal }),
    enabled: !run.dryRun && run.timestampStarted !== null,
    refetchInterval: timestampFinished === null && REFRESH_MS,
    placeholderData: keepPreviousData,
  });
}

function Drawn({ run, timeline }: { readonly run: RunProgress; readonly timeline: RunTimeline }) {
  const say = useText();
  const intl = useIntl();
  const [hasNumbers, setNumbers] = useState(false);
  const numbersId = useId();
  const last = timeline.points.at(-1);
  const counts = OUTCOME_PARTS.map(
    ({ part }) => `${say(`state.${part}`)}: ${intl.formatNumber(last?.[part] ?? 0)}`,
  );
  return (
    <Stack gap="sm">
      <Box role="img" aria-label={`${say('timeline.title')}. ${counts.join(', ')}`}>
        <Suspense fallback={<Skeleton h={CHART_HEIGHT} />}>
          <TimelineChart
            height={CHART_HEIGHT}
            timeline={timeline}
            targeted={run.counts.total.targeted}
          />
        </Suspense>
      </Box>
      <Group>
        <Button
          variant="default"
          size="compact-sm"
          aria-expanded={hasNumbers}
          aria-controls={numbersId}
          onClick={() => setNumbers(!hasNumbers)}
        >
          {say(hasNumbers ? 'timeline.hideNumbers' : 'timeline.showNumbers')}
        </Button>
      </Group>
      <div id={numbersId}>{hasNumbers && <Numbers timeline={timeline} />}</div>
    </Stack>
  );
}

/** The same as a table, without the times at which nothing changed. */
function Numbers({ timeline: { points } }: { readonly timeline: RunTimeline }) {
  const say = useText();
  const intl = useIntl();
  const format = toTimeFormat(points);
  return (
    <ScrollingTable
      caption={say('timeline.title')}
      empty={say('timeline.empty')}
      head={[say('timeline.time'), ...OUTCOME_PARTS.map(({ part }) => say(`state.${part}`))]}
    >
      {toSteps(points).map((point) => (
        <Table.Tr key={point.timestamp}>
          <Table.Td>
            <time dateTime={point.timestamp}>{intl.formatDate(point.timestamp, format)}</time>
          </Table.Td>
          {OUTCOME_PARTS.map(({ part }) => (
            <Table.Td key={part}>{intl.formatNumber(point[part])}</Table.Td>
          ))}
        </Table.Tr>
      ))}
    </ScrollingTable>
  );
}
