import type { TroubledCallback } from '@heliograph/client';
import { Anchor, Badge } from '@mantine/core';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { useMay } from '../session/session-gate.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** Who is not told what came of pushes. */
export function TroubledCallbacks({
  callbacks,
}: {
  readonly callbacks: readonly TroubledCallback[];
}) {
  const say = useText();
  const mayOpen = useMay('admin');
  return (
    <OverviewCard title={say('overview.callbacks')} empty={say('overview.noCallbacks')}>
      {callbacks.map(({ id, appId, failures, failingSince, lastResult, suspendedAt }) => {
        const name = say('overview.callbackOf', { id, appId });
        const isSuspended = suspendedAt !== null;
        return (
          <OverviewRow
            key={id}
            name={
              mayOpen ? (
                <Anchor component={Link} to={`/apps/${encodeURIComponent(appId)}?tab=callbacks`}>
                  {name}
                </Anchor>
              ) : (
                name
              )
            }
            detail={
              <>
                {say('overview.inARow', { count: failures })}
                {lastResult !== null && `, ${lastResult}`}, <Moment at={failingSince} />
              </>
            }
          >
            <Badge color={isSuspended ? 'red' : 'orange'} variant="light" tt="none">
              {say(isSuspended ? 'callbackState.suspended' : 'callbackState.failing')}
            </Badge>
          </OverviewRow>
        );
      })}
    </OverviewCard>
  );
}
