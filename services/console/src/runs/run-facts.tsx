import type { RunProgress } from '@heliograph/client';
import { Card } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { Fact, Facts } from '../layout/facts.tsx';
import { Moment } from '../layout/moment.tsx';
import { paceOf } from './pace-of.ts';
import { toClock } from './to-clock.ts';

/** How fast it goes, how long it takes, and when what happened. */
export function RunFacts({ run }: { readonly run: RunProgress }) {
  const say = useText();
  const { rate, secondsLeft } = paceOf(run);
  const { users } = run;
  return (
    <Card withBorder>
      <Facts>
        <Fact name={say('run.rate')}>{rate === 0 ? '–' : say('run.perSecond', { rate })}</Fact>
        <Fact name={say('run.eta')}>
          {secondsLeft === null ? '–' : say('run.etaSeconds', toClock(secondsLeft))}
        </Fact>
        <Fact name={say('run.limit')}>
          {run.ratePerSecond === null
            ? say('run.noLimit')
            : say('run.perSecond', { rate: run.ratePerSecond })}
        </Fact>
        <Fact name={say('run.users')}>
          {say('run.usersOf', { total: users.total, without: users.withoutDevice })}
        </Fact>
        <Fact name={say('run.created')}>
          <Moment at={run.timestampCreated} />
        </Fact>
        <Fact name={say('run.start')}>
          <Moment at={run.timestampStarted ?? run.timestampStart} />
        </Fact>
        <Fact name={say('run.finished')}>
          <Moment at={run.timestampFinished} />
        </Fact>
        <Fact name={say('run.canary')}>
          {run.canaryPercent === null
            ? '–'
            : say('run.canaryPercent', { percent: run.canaryPercent })}
        </Fact>
      </Facts>
    </Card>
  );
}
