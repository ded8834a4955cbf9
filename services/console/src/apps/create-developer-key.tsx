import { TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';

interface CreateDeveloperKeyProps {
  readonly appId: string;
  readonly onMade: (developerKey: string, secret: string) => void;
  readonly close: () => void;
}

export function CreateDeveloperKey({ appId, onMade, close }: CreateDeveloperKeyProps) {
  const say = useText();
  const api = useApi();
  const [name, setName] = useState('');
  const [carriers, setCarriers] = useState<string[]>([]);
  return (
    <DialogForm
      submit={say('developerKeys.create')}
      disabled={carriers.length === 0}
      close={close}
      act={async () => {
        const made = await api.developerKeys.create({ appId, name: name.trim(), carriers });
        onMade(made.developerKey, made.secret);
      }}
      onDone={close}
    >
      <TextInput
        label={say('apps.name')}
        description={say('keys.nameHint')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        data-autofocus
      />
      <TagsInput
        label={say('developerKeys.carriers')}
        description={say('developerKeys.carriersHint')}
        value={carriers}
        onChange={setCarriers}
        acceptValueOnBlur
        withAsterisk
      />
    </DialogForm>
  );
}
