import type { Campaign } from '@heliograph/client';
import { Card, SegmentedControl, Stack, Title } from '@mantine/core';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import { AddAllUsers } from './add-all-users.tsx';
import { FileImport } from './file-import.tsx';
import { PasteImport } from './paste-import.tsx';

const WAYS = ['fromFile', 'pasted', 'everybody'] as const;
type Way = (typeof WAYS)[number];

/** The ways to get users into a campaign. */
export function AddUsers({ campaign }: { readonly campaign: Campaign }) {
  const say = useText();
  const [way, setWay] = useState<Way>('fromFile');
  return (
    <Card withBorder component="section" aria-label={say('audience.add')}>
      <Stack>
        <Title order={2} size="h4">
          {say('audience.add')}
        </Title>
        <SegmentedControl
          aria-label={say('audience.add')}
          value={way}
          onChange={setWay}
          data={WAYS.map((value) => ({ value, label: say(`audience.${value}`) }))}
        />
        {way === 'fromFile' && <FileImport campaignId={campaign.id} />}
        {way === 'pasted' && <PasteImport campaignId={campaign.id} />}
        {way === 'everybody' && <AddAllUsers campaign={campaign} />}
      </Stack>
    </Card>
  );
}
