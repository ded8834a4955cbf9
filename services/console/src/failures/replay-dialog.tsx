import { Alert, Button, Checkbox, Group, Progress, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { ConfirmButton } from '../layout/confirm-button.tsx';
import { Failure } from '../layout/failure.tsx';
import { useLeaving } from '../layout/use-leaving.ts';
import { toSince, type Period } from './cause.ts';
import type { ReplayFilter } from './replay-button.tsx';
import { replayAll, type ReplayTally } from './replay-failures.ts';
import { ReplayCount } from './replay-count.tsx';

interface ReplayDialogProps {
  readonly filter: ReplayFilter;
  readonly period: Period;
  readonly close: () => void;
}

/** Counts first what would be sent again; then does it, where the person types how many. */
export function ReplayDialog({ filter, period, close }: ReplayDialogProps) {
  const say = useText();
  const cache = useQueryClient();
  const [validUntil, setValidUntil] = useState('');
  const [includeAmbiguous, setIncludeAmbiguous] = useState(false);
  const { counting, replay, counted, replayed, isOver } = useReplay(filter, period, {
    ...(validUntil === '' ? {} : { validUntil: new Date(validUntil).toISOString() }),
    includeAmbiguous,
  });
  const total = counting.data?.tally.replayed ?? 0;

  const sendAgain = async () => {
    await replay();
    await cache.invalidateQueries({ queryKey: ['failures'] });
  };

  return (
    <Stack>
      <TextInput
        type="datetime-local"
        label={say('replay.validUntil')}
        description={say('replay.validUntilHint')}
        value={validUntil}
        onChange={(event) => {
          setValidUntil(event.currentTarget.value);
          counting.reset();
        }}
      />
      <Checkbox
        label={say('replay.ambiguous')}
        checked={includeAmbiguous}
        onChange={(event) => {
          setIncludeAmbiguous(event.currentTarget.checked);
          counting.reset();
        }}
      />
      {includeAmbiguous && <Alert color="orange">{say('replay.ambiguousHint')}</Alert>}
      {counting.isPending && counted !== undefined && (
        <Text role="status">{say('replay.counting', { count: counted.replayed })}</Text>
      )}
      {counting.isError && <Failure error={counting.error} />}
      {counting.isSuccess && replayed === undefined && <ReplayCount tally={counting.data.tally} />}
      {replayed !== undefined && !isOver && (
        <>
          <Progress
            value={total === 0 ? 0 : (100 * replayed.replayed) / total}
            aria-label={say('replay.progress', { done: replayed.replayed, total })}
          />
          <Text role="status">{say('replay.progress', { done: replayed.replayed, total })}</Text>
          <Text size="sm" c="dimmed">
            {say('replay.leaving')}
          </Text>
        </>
      )}
      {isOver && (
        <Alert color={replayed?.more === true ? 'orange' : 'green'} role="status">
          {say('replay.done', { count: replayed?.replayed ?? 0 })}{' '}
          {replayed?.more === true && say('replay.someBusy')}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {say('replay.close')}
        </Button>
        {!counting.isSuccess && (
          <Button loading={counting.isPending} onClick={() => counting.mutate()}>
            {say('replay.count')}
          </Button>
        )}
        {counting.isSuccess && !isOver && total > 0 && (
          <ConfirmButton
            label={say('replay.one')}
            color="red"
            typed={String(total)}
            typedLabel={say('failures.applyTyped', { count: total })}
            question={say('replay.question', { count: total })}
            act={sendAgain}
          />
        )}
      </Group>
    </Stack>
  );
}

interface ReplayTerms {
  readonly validUntil?: string;
  readonly includeAmbiguous: boolean;
}

/** The count and the deed are about the same failures: those up to when they were counted. */
function useReplay(filter: ReplayFilter, period: Period, terms: ReplayTerms) {
  const api = useApi();
  const leaving = useLeaving();
  const [counted, setCounted] = useState<ReplayTally>();
  const [replayed, setReplayed] = useState<ReplayTally>();
  const [isOver, setOver] = useState(false);

  const counting = useMutation({
    mutationFn: async () => {
      const now = Date.now();
      const request = {
        ...filter,
        ...terms,
        since: toSince(period, now),
        until: new Date(now).toISOString(),
      };
      setCounted(undefined);
      setReplayed(undefined);
      setOver(false);
      const { signal } = leaving.current;
      let sum: ReplayTally | undefined;
      for await (const tally of replayAll(ask, { ...request, dryRun: true }, signal)) {
        sum = tally;
        setCounted(tally);
      }
      if (sum === undefined) throw new Error('The api answered nothing.');
      return { request, tally: sum };
    },
  });
  const ask: Parameters<typeof replayAll>[0] = (request) => api.failures.replay(request);

  const replay = async () => {
    if (counting.data === undefined) return;
    for await (const tally of replayAll(ask, counting.data.request, leaving.current.signal))
      setReplayed(tally);
    setOver(true);
  };
  return { counting, replay, counted, replayed, isOver };
}
