import type { LaneBacklog } from '@heliograph/client';

import { useText } from '../i18n/text.tsx';
import { toClock } from '../runs/to-clock.ts';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** How much is due, and for how long already. */
export function Backlog({ lanes }: { readonly lanes: readonly LaneBacklog[] }) {
  const say = useText();
  const waitingLanes = lanes.filter(({ waiting }) => waiting > 0);
  return (
    <OverviewCard title={say('overview.lanes')} empty={say('overview.nothingWaits')}>
      {waitingLanes.map(({ lane, oldestSeconds, waiting, more }) => (
        <OverviewRow
          key={lane}
          name={say(`lane.${lane}`)}
          detail={say('overview.oldest', { time: say('run.etaSeconds', toClock(oldestSeconds)) })}
        >
          {say(more ? 'overview.dueAtLeast' : 'overview.due', { count: waiting })}
        </OverviewRow>
      ))}
    </OverviewCard>
  );
}
