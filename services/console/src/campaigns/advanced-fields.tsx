import { Accordion, NumberInput, SimpleGrid, Stack, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import type { MessageFields } from './message-form.ts';

const EXAMPLE = '{"page": "offers"}';
const MAX_BADGE = 2_147_483_647;

/** What few messages need. */
export function AdvancedFields({ form }: { readonly form: UseFormReturnType<MessageFields> }) {
  const say = useText();
  const hasError = form.errors['extras'] !== undefined;
  const [opened, setOpened] = useState<string | null>(null);
  return (
    <Accordion
      variant="contained"
      order={2}
      value={hasError ? 'advanced' : opened}
      onChange={setOpened}
    >
      <Accordion.Item value="advanced">
        <Accordion.Control>{say('campaigns.advanced')}</Accordion.Control>
        <Accordion.Panel>
          <Stack>
            <SimpleGrid cols={{ base: 1, xs: 2 }}>
              <NumberInput
                label={say('campaigns.badge')}
                description={say('campaigns.badgeHint')}
                allowDecimal={false}
                min={0}
                max={MAX_BADGE}
                {...form.getInputProps('badge')}
              />
              <TextInput
                label={say('campaigns.sound')}
                description={say('campaigns.soundHint')}
                {...form.getInputProps('sound')}
              />
              <TextInput
                label={say('campaigns.category')}
                description={say('campaigns.categoryHint')}
                {...form.getInputProps('category')}
              />
              <TextInput
                label={say('campaigns.collapseKey')}
                description={say('campaigns.collapseKeyHint')}
                {...form.getInputProps('collapseKey')}
              />
            </SimpleGrid>
            <TextInput
              type="datetime-local"
              label={say('campaigns.validUntil')}
              description={say('campaigns.validUntilHint')}
              {...form.getInputProps('validUntil')}
            />
            <Textarea
              label={say('campaigns.extras')}
              description={say('campaigns.extrasHint', { example: EXAMPLE })}
              autosize
              minRows={3}
              maxRows={12}
              styles={{ input: { fontFamily: 'monospace' } }}
              {...form.getInputProps('extras')}
            />
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
