import type { RunProgress } from '@heliograph/client';
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { useMay } from '../session/session-gate.tsx';
import { RateForm } from './rate-form.tsx';
import { runKey } from './use-run.ts';

const GOING = new Set<RunProgress['state']>(['scheduled', 'materialising', 'running']);

/** What the run's state allows: pause, resume, approve its canary, cancel, another rate. */
export function RunControls({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const mayControl = useMay('campaigns:send');
  const { act, perform } = useControl(run);
  if (!mayControl || run.timestampFinished !== null || run.dryRun) return null;

  const isGoing = GOING.has(run.state);
  const waitsForApproval = run.reason === 'canary';
  const canResume = !waitsForApproval && (run.state === 'paused' || run.state === 'halted');
  return (
    <>
      {isGoing && (
        <Button
          variant="default"
          leftSection={<IconPlayerPause aria-hidden size={16} />}
          loading={act.isPending}
          onClick={() => act.mutate('pause')}
        >
          {say('run.pause')}
        </Button>
      )}
      {canResume && (
        <ConfirmButton
          label={say('run.resume')}
          color="indigo"
          leftSection={<IconPlayerPlay aria-hidden size={16} />}
          question={say('run.resumeQuestion', { count: run.counts.total.pending })}
          act={() => perform('resume')}
        />
      )}
      {waitsForApproval && (
        <ConfirmButton
          label={say('run.approve')}
          color="indigo"
          question={say('run.approveQuestion', { count: run.counts.total.pending })}
          act={() => perform('approve')}
        />
      )}
      <RateForm run={run} />
      {run.state !== 'cancelled' && (
        <ConfirmButton
          label={say('run.cancel')}
          color="red"
          variant="light"
          question={say('run.cancelQuestion', { count: run.counts.total.pending })}
          act={() => perform('cancel')}
        />
      )}
    </>
  );
}

type Act = 'pause' | 'resume' | 'approve' | 'cancel';

function useControl({ campaignId, runId }: RunProgress) {
  const api = useApi();
  const cache = useQueryClient();
  const say = useText();
  const perform = async (act: Act) => {
    const progress = await api.runs[act](campaignId, { runId });
    cache.setQueryData(runKey({ campaignId, runId }), progress);
  };
  const act = useMutation({
    mutationFn: perform,
    onError: (error) => notifications.show({ color: 'red', message: describeFailure(error, say) }),
  });
  return { act, perform };
}
