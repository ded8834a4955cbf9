import type { CallbacksCreateAnswer, CreateCallback as Request } from '@heliograph/client';
import { Checkbox, SimpleGrid, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';

const TYPES = [
  'delivery.sent',
  'delivery.failed',
  'delivery.expired',
  'delivery.skipped',
  'run.started',
  'run.paused',
  'run.resumed',
  'run.halted',
  'run.completed',
  'run.cancelled',
  'run.settled',
  'device.token_deactivated',
] as const satisfies NonNullable<Request['types']>;

interface CreateCallbackProps {
  readonly appId: string;
  readonly onMade: (made: CallbacksCreateAnswer) => void;
  readonly close: () => void;
}

export function CreateCallback({ appId, onMade, close }: CreateCallbackProps) {
  const say = useText();
  const api = useApi();
  const [url, setUrl] = useState('');
  const [types, setTypes] = useState<string[]>([]);
  return (
    <DialogForm
      submit={say('callbacks.create')}
      close={close}
      act={async () => {
        const chosen = TYPES.filter((type) => types.includes(type));
        const which = chosen.length === 0 ? {} : { types: chosen };
        onMade(await api.callbacks.create({ appId, url: url.trim(), ...which }));
      }}
      onDone={close}
    >
      <TextInput
        type="url"
        label={say('callbacks.url')}
        description={say('callbacks.urlHint')}
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
        required
        data-autofocus
      />
      <Checkbox.Group
        label={say('callbacks.types')}
        description={say('callbacks.typesHint')}
        value={types}
        onChange={setTypes}
      >
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs" spacing="xs">
          {TYPES.map((type) => (
            <Checkbox key={type} value={type} label={type} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
    </DialogForm>
  );
}
