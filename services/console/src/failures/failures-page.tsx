import { useText } from '../i18n/text.tsx';
import { Page } from '../layout/page.tsx';
import { PageTabs } from '../layout/page-tabs.tsx';
import { useMay } from '../session/session-gate.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { HeldFaults } from './held-faults.tsx';
import { Pauses } from './pauses.tsx';
import { Prunings } from './prunings.tsx';
import { StaleDevices } from './stale-devices.tsx';

/** What failed for good, what stands still and why, what the guard holds back, and which devices were taken out: each can be undone here. */
export function FailuresPage() {
  const say = useText();
  const mayLookAtAll = useMay('admin');
  const deadLetters = {
    value: 'dead-letters',
    title: say('deadLetters.title'),
    content: <DeadLetters />,
  };
  const others = [
    { value: 'pauses', title: say('failures.pauses'), content: <Pauses /> },
    { value: 'held', title: say('failures.held'), content: <HeldFaults /> },
    { value: 'prunings', title: say('failures.prunings'), content: <Prunings /> },
    { value: 'stale', title: say('failures.stale'), content: <StaleDevices /> },
  ];
  return (
    <Page title={say('nav.failures')}>
      <PageTabs tabs={mayLookAtAll ? [deadLetters, ...others] : [deadLetters]} />
    </Page>
  );
}
