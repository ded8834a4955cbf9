import type { Campaign } from '@heliograph/client';
import { Button, Grid, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { AdvancedFields } from './advanced-fields.tsx';
import { AppField } from './app-field.tsx';
import {
  isEmpty,
  NO_FIELDS,
  parseExtras,
  toFields,
  toMessage,
  type MessageFields,
} from './message-form.ts';
import { MessagePreview } from './message-preview.tsx';
import { CAMPAIGNS_KEY } from './use-campaign.ts';

/** What a campaign says and to which app, beside how it will look. */
export function CampaignEditor({ template }: { readonly template?: Campaign }) {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const form = useForm<MessageFields>({
    initialValues: template ? toFields(template.appId, template.message) : NO_FIELDS,
    validate: {
      appId: (appId) => (appId.trim() === '' ? say('campaigns.noApp') : null),
      body: (_, fields) =>
        isEmpty(toMessage(fields, template?.message)) ? say('campaigns.noMessage') : null,
      extras: (extras) =>
        extras.trim() !== '' && parseExtras(extras) === undefined
          ? say('campaigns.noExtras')
          : null,
    },
  });
  const message = toMessage(form.values, template?.message);
  const appId = form.values.appId.trim();
  const creating = useMutation({
    mutationFn: () => api.campaigns.create({ appId, message }),
    onSuccess: async ({ id }) => {
      await cache.invalidateQueries({ queryKey: CAMPAIGNS_KEY });
      await navigate(`/campaigns/${id}?tab=audience`);
    },
  });

  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, md: 6 }}>
        <form onSubmit={form.onSubmit(() => creating.mutate())}>
          <Stack>
            <AppField {...form.getInputProps('appId')} value={form.values.appId} />
            <TextInput label={say('campaigns.messageTitle')} {...form.getInputProps('title')} />
            <Textarea
              label={say('campaigns.messageBody')}
              autosize
              minRows={3}
              maxRows={10}
              {...form.getInputProps('body')}
            />
            <AdvancedFields form={form} />
            {creating.isError && <Failure error={creating.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={creating.isPending}>
                {say('campaigns.create')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}>
        <MessagePreview appId={appId} message={message} withSizes />
      </Grid.Col>
    </Grid>
  );
}
