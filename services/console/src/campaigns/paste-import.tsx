import { Button, Group, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import { ImportView } from './import-view.tsx';
import { useImport } from './use-import.ts';
import { toRows, usersOf } from './users-of.ts';

const PASTED = { column: 0, hasHeading: false };

export function PasteImport({ campaignId }: { readonly campaignId: number }) {
  const say = useText();
  const adding = useImport(campaignId);
  const [text, setText] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        adding.start((report) => usersOf([toRows(text)], PASTED, report));
      }}
    >
      <Stack>
        <Textarea
          label={say('audience.paste')}
          description={say('audience.pasteHint')}
          rows={6}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Group>
          <Button type="submit" disabled={text.trim() === '' || adding.isRunning}>
            {say('audience.add')}
          </Button>
        </Group>
        <ImportView run={adding} />
      </Stack>
    </form>
  );
}
