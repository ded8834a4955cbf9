import { Group } from '@mantine/core';

import { useText } from '../i18n/text.tsx';
import { FilterSelect } from '../layout/filter-select.tsx';
import { PLATFORMS, REASONS, STATES, type DeviceFilter } from './device-filter.ts';

/** By what came of them, and on which platform, devices are listed; kept in the address. */
export function DeviceFilters({ filter }: { readonly filter: DeviceFilter }) {
  const say = useText();
  return (
    <Group component="search" aria-label={say('filter.label')}>
      <FilterSelect
        name="state"
        label={say('audit.outcome')}
        any={say('runDevices.stateDefault')}
        value={filter.state ?? ''}
        choices={STATES.map((value) => ({ value, label: say(`state.${value}`) }))}
      />
      <FilterSelect
        name="reason"
        label={say('failures.reason')}
        any={say('filter.any')}
        value={filter.reason ?? ''}
        choices={REASONS.map((value) => ({ value, label: value }))}
      />
      <FilterSelect
        name="platform"
        label={say('failures.platform')}
        any={say('filter.any')}
        value={filter.platform ?? ''}
        choices={PLATFORMS.map((value) => ({ value, label: say(`platform.${value}`) }))}
      />
    </Group>
  );
}
