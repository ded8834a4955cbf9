import type { RunProgress } from '@heliograph/client';
import { Button, Group, List, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useIntl } from 'react-intl';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { Failure } from '../layout/failure.tsx';
import { Moment } from '../layout/moment.tsx';
import { SendStep } from './send-step.tsx';
import { isGoing, runsKey, useAudienceChange } from './use-campaign.ts';

interface DryRunProps {
  readonly campaignId: number;
  readonly dryRun: RunProgress | undefined;
  readonly maySend: boolean;
}

/** Counts the audience, and tells what the latest count found. */
export function DryRun({ campaignId, dryRun, maySend }: DryRunProps) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const { setChanged } = useAudienceChange(campaignId);
  const counting = useMutation({
    mutationFn: () => api.campaigns.sendLive(campaignId, { dryRun: true }),
    onSuccess: () => setChanged(false),
    onSettled: () => cache.invalidateQueries({ queryKey: runsKey(campaignId) }),
  });
  const isCounting = counting.isPending || (dryRun !== undefined && isGoing(dryRun));
  return (
    <SendStep title={say('send.dryRun')} hint={say('send.dryRunHint')}>
      {maySend && (
        <Group>
          <Button variant="default" loading={isCounting} onClick={() => counting.mutate()}>
            {say('send.count')}
          </Button>
        </Group>
      )}
      {isCounting && <Text role="status">{say('send.counting')}</Text>}
      {counting.isError && <Failure error={counting.error} />}
      {dryRun !== undefined && !isCounting && <Found dryRun={dryRun} />}
    </SendStep>
  );
}

function Found({ dryRun }: { readonly dryRun: RunProgress }) {
  const say = useText();
  const intl = useIntl();
  const { counts, users, excluded, timestampFinished } = dryRun;
  const reasons = [...toReasons('ios', excluded.ios), ...toReasons('android', excluded.android)];
  return (
    <>
      <Facts>
        <Fact name={say('send.devices')}>{intl.formatNumber(counts.total.targeted)}</Fact>
        <Fact name={say('platform.ios')}>{intl.formatNumber(counts.ios.targeted)}</Fact>
        <Fact name={say('platform.android')}>{intl.formatNumber(counts.android.targeted)}</Fact>
        <Fact name={say('send.countedAt')}>
          <Moment at={timestampFinished} />
        </Fact>
        <Fact name={say('send.users')}>{intl.formatNumber(users.total)}</Fact>
        <Fact name={say('send.withoutDevice')}>{intl.formatNumber(users.withoutDevice)}</Fact>
      </Facts>
      <Fact name={say('send.excluded')}>
        {reasons.length === 0 ? (
          say('send.noneExcluded')
        ) : (
          <List>
            {reasons.map(({ platform, reason, count }) => (
              <List.Item key={`${platform} ${reason}`}>
                {say(`platform.${platform}`)}, {reason}: {intl.formatNumber(count)}
              </List.Item>
            ))}
          </List>
        )}
      </Fact>
    </>
  );
}

function toReasons(
  platform: 'ios' | 'android',
  excluded: Readonly<Record<string, unknown>>,
): readonly {
  readonly platform: 'ios' | 'android';
  readonly reason: string;
  readonly count: number;
}[] {
  return Object.entries(excluded)
    .map(([reason, count]) => ({ platform, reason, count: Number(count) }))
    .filter(({ count }) => count > 0);
}
