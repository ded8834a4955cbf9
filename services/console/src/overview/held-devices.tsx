import type { HeldTokenFaults } from '@heliograph/client';
import { Anchor } from '@mantine/core';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { Moment } from '../layout/moment.tsx';
import { useMay } from '../session/session-gate.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** Devices whose refused tokens wait for a person's word. */
export function HeldDevices({ held }: { readonly held: readonly HeldTokenFaults[] }) {
  const say = useText();
  const mayDecide = useMay('admin');
  return (
    <OverviewCard title={say('failures.held')} empty={say('failures.noHeld')}>
      {held.map(({ appId, platform, reason, devices, since }) => {
        const name = `${appId} · ${say(`platform.${platform}`)}`;
        return (
          <OverviewRow
            key={`${appId} ${platform} ${reason}`}
            name={
              mayDecide ? (
                <Anchor component={Link} to="/failures?tab=held">
                  {name}
                </Anchor>
              ) : (
                name
              )
            }
            detail={
              <>
                {reason}, <Moment at={since} />
              </>
            }
          >
            {say('overview.devices', { count: devices })}
          </OverviewRow>
        );
      })}
    </OverviewCard>
  );
}
