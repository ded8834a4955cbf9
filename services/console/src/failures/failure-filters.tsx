import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { FilterSelect } from '../layout/filter-select.tsx';
import { readFilter, readPeriod } from './cause.ts';

/** Over which time and of what failures are listed; kept in the address. */
export function FailureFilters() {
  const say = useText();
  const [parameters, setParameters] = useSearchParams();
  const { appId = '', platform = '', lane = '' } = readFilter(parameters);
  const [typedAppId, setTypedAppId] = useState(appId);
  const setAppId = () =>
    setParameters((now) => {
      const then = new URLSearchParams(now);
      if (typedAppId.trim() === '') then.delete('appId');
      else then.set('appId', typedAppId.trim());
      return then;
    });

  return (
    <form
      role="search"
      aria-label={say('filter.label')}
      onSubmit={(event) => {
        event.preventDefault();
        setAppId();
      }}
    >
      <Group align="flex-end">
        <FilterSelect
          name="period"
          label={say('deadLetters.period')}
          value={readPeriod(parameters)}
          choices={[
            { value: 'day', label: say('deadLetters.day') },
            { value: 'week', label: say('deadLetters.week') },
          ]}
        />
        <FilterSelect
          name="platform"
          label={say('failures.platform')}
          any={say('filter.any')}
          value={platform}
          choices={[
            { value: 'ios', label: say('platform.ios') },
            { value: 'android', label: say('platform.android') },
          ]}
        />
        <FilterSelect
          name="lane"
          label={say('lane.label')}
          any={say('filter.any')}
          value={lane}
          choices={[
            { value: 'message', label: say('lane.message') },
            { value: 'campaign', label: say('lane.campaign') },
          ]}
        />
        <TextInput
          label={say('failures.app')}
          placeholder={say('filter.any')}
          value={typedAppId}
          onChange={(event) => setTypedAppId(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          {say('filter.label')}
        </Button>
      </Group>
    </form>
  );
}
