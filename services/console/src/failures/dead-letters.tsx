import { useSearchParams } from 'react-router';

import { CauseDeliveries } from './cause-deliveries.tsx';
import { readCause, readFilter, readPeriod } from './cause.ts';
import { FailureCauses } from './failure-causes.tsx';
import { FailureFilters } from './failure-filters.tsx';

/** What failed for good: by cause, and the deliveries of the cause that the address opens. */
export function DeadLetters() {
  const [parameters] = useSearchParams();
  const cause = readCause(parameters);
  const period = readPeriod(parameters);
  if (cause !== undefined) return <CauseDeliveries cause={cause} period={period} />;
  const filter = readFilter(parameters);
  return (
    <>
      {/* Begins anew where another app comes by the address, as by the browser's "back". */}
      <FailureFilters key={filter.appId ?? ''} />
      <FailureCauses filter={filter} period={period} />
    </>
  );
}
