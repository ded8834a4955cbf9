import type { Failure } from '@heliograph/client';
import { Anchor } from '@mantine/core';
import { useIntl } from 'react-intl';
import { Link } from 'react-router';

import { toCauseAddress } from '../failures/cause.ts';
import { useText } from '../i18n/text.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** What failed for good lately, by reason. */
export function RecentFailures({ failures }: { readonly failures: readonly Failure[] }) {
  const say = useText();
  const intl = useIntl();
  return (
    <OverviewCard title={say('overview.failures')} empty={say('overview.noFailures')}>
      {failures.map((failure) => {
        const { appId, platform, lane, state, reason, count } = failure;
        const of = { appId, platform: say(`platform.${platform}`), lane: say(`lane.${lane}`) };
        return (
          <OverviewRow
            key={`${appId} ${platform} ${lane} ${state} ${reason}`}
            name={
              <Anchor
                component={Link}
                to={`/failures?${toCauseAddress(failure).toString()}`}
                aria-label={say('overview.openFailures', { reason, ...of })}
              >
                {reason}
              </Anchor>
            }
            detail={`${appId} · ${of.platform} · ${of.lane} · ${say(`state.${state}`)}`}
          >
            {intl.formatNumber(count)}
          </OverviewRow>
        );
      })}
    </OverviewCard>
  );
}
