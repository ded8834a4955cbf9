import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { readFilter, readPeriod } from './cause.ts';

/** Over which time and of what failures are listed; kept in the address. */
export function FailureFilters() {
  const say = useText();
  const [parameters, setParameters] = useSearchParams();
  const { appId = '', platform = '', lane = '' } = readFilter(parameters);
  const [typedAppId, setTypedAppId] = useState(appId);
  const set = (name: string, value: string) =>
    setParameters((now) => {
      const then = new URLSearchParams(now);
      if (value === '') then.delete(name);
      else then.set(name, value);
      return then;
    });
  const any = { value: '', label: say('filter.any') };

  return (
    <form
      role="search"
      aria-label={say('filter.label')}
      onSubmit={(event) => {
        event.preventDefault();
        set('appId', typedAppId.trim());
      }}
    >
      <Group align="flex-end">
        <NativeSelect
          label={say('deadLetters.period')}
          data={[
            { value: 'day', label: say('deadLetters.day') },
            { value: 'week', label: say('deadLetters.week') },
          ]}
          value={readPeriod(parameters)}
          onChange={(event) => set('period', event.currentTarget.value)}
        />
        <NativeSelect
          label={say('failures.platform')}
          data={[
            any,
            { value: 'ios', label: say('platform.ios') },
            { value: 'android', label: say('platform.android') },
          ]}
          value={platform}
          onChange={(event) => set('platform', event.currentTarget.value)}
        />
        <NativeSelect
          label={say('lane.label')}
          data={[
            any,
            { value: 'message', label: say('lane.message') },
            { value: 'campaign', label: say('lane.campaign') },
          ]}
          value={lane}
          onChange={(event) => set('lane', event.currentTarget.value)}
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
