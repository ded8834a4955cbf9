import type { Dispatcher } from '@heliograph/client';
import { Badge } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** Who sends; the living ones first. */
export function Dispatchers({ dispatchers }: { readonly dispatchers: readonly Dispatcher[] }) {
  const say = useText();
  const alive = dispatchers.filter((one) => one.alive);
  const silent = dispatchers.filter((one) => !one.alive);
  const count = say('overview.alive', { count: alive.length });
  return (
    <OverviewCard title={`${say('overview.dispatchers')}: ${count}`} empty={count}>
      {[...alive, ...silent].map(({ id, host, version, startedAt, seenAt, alive: isAlive }) => (
        <OverviewRow
          key={id}
          name={version === null ? host : `${host} · ${version}`}
          detail={
            <>
              {say(isAlive ? 'run.start' : 'overview.lastSeen')}:{' '}
              <Moment at={isAlive ? startedAt : seenAt} />
            </>
          }
        >
          <Badge color={isAlive ? 'green' : 'orange'} variant="light" tt="none">
            {say(isAlive ? 'overview.isAlive' : 'overview.isSilent')}
          </Badge>
        </OverviewRow>
      ))}
    </OverviewCard>
  );
}
