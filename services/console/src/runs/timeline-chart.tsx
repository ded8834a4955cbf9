import '@mantine/charts/styles.css';

import { AreaChart } from '@mantine/charts';
import type { RunTimeline } from '@heliograph/client';
import { useIntl } from 'react-intl';

import { useText } from '../i18n/text.tsx';
import { OUTCOME_PARTS } from './outcome-parts.ts';
import { toTimeFormat } from './time-format.ts';

interface TimelineChartProps {
  readonly height: number;
  readonly timeline: RunTimeline;
  /** How many devices there are: as high as it can get. */
  readonly targeted: number;
}

/** What had come of the devices at each time, one upon the other; above them is what is owed. */
export function TimelineChart({ height, timeline: { points }, targeted }: TimelineChartProps) {
  const say = useText();
  const intl = useIntl();
  const format = toTimeFormat(points);
  const sayTime = (at: number) => intl.formatDate(at, format);
  return (
    <AreaChart
      h={height}
      type="stacked"
      curveType="linear"
      dataKey="at"
      data={points.map((point) => ({ ...point, at: Date.parse(point.timestamp) }))}
      series={OUTCOME_PARTS.map(({ part, colour }) => ({
        name: part,
        color: colour,
        label: say(`state.${part}`),
      }))}
      fillOpacity={0.6}
      withDots={false}
      valueFormatter={(count) => intl.formatNumber(count)}
      xAxisProps={{
        type: 'number',
        scale: 'time',
        domain: ['dataMin', 'dataMax'],
        tickFormatter: sayTime,
      }}
      yAxisProps={{ domain: [0, Math.max(targeted, 1)], width: 80, allowDecimals: false }}
      tooltipProps={{ labelFormatter: (at) => sayTime(Number(at)) }}
      areaChartProps={{ accessibilityLayer: false }}
      areaProps={{ isAnimationActive: false }}
    />
  );
}
