import type { Pause } from '@heliograph/client';
import { useQueryClient } from '@tanstack/react-query';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Moment } from '../layout/moment.tsx';
import { useMay } from '../session/session-gate.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OVERVIEW_KEY } from './overview-key.ts';
import { OverviewRow } from './overview-row.tsx';

/** What is not sent to at present, why, and the way on. */
export function CurrentPauses({ pauses }: { readonly pauses: readonly Pause[] }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const mayResume = useMay('admin');
  const resume = async (id: number) => {
    await api.pauses.resume({ id });
    await cache.invalidateQueries({ queryKey: OVERVIEW_KEY });
  };
  return (
    <OverviewCard title={say('failures.pauses')} empty={say('failures.noPauses')}>
      {pauses.map(({ id, appId, platform, environment, scope, reason, since, probeAt }) => (
        <OverviewRow
          key={id}
          name={`${appId} · ${say(`platform.${platform}`)} ${environment} · ${scope}`}
          detail={
            <>
              {reason}, <Moment at={since} />
              {probeAt !== null && (
                <>
                  . {say('failures.probe')}: <Moment at={probeAt} />
                </>
              )}
            </>
          }
        >
          {mayResume && (
            <ConfirmButton
              label={say('failures.resume')}
              color="indigo"
              size="xs"
              question={say('failures.resumeQuestion')}
              act={() => resume(id)}
            />
          )}
        </OverviewRow>
      ))}
    </OverviewCard>
  );
}
