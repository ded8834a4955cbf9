import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate } from 'react-router';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { Failure } from '../layout/failure.tsx';
import { APPS_KEY } from './use-app.ts';

/** Makes an application and goes to it, for its keys. */
export function CreateAppButton() {
  const say = useText();
  const api = useApi();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [isOpen, { open, close }] = useDisclosure();
  const form = useForm({ initialValues: { appId: '', appName: '' } });
  const creating = useMutation({
    mutationFn: ({ appId, appName }: typeof form.values) =>
      api.apps.create({
        appId: appId.trim(),
        ...(appName.trim() === '' ? {} : { appName: appName.trim() }),
      }),
    onSuccess: async ({ appId }) => {
      await cache.invalidateQueries({ queryKey: APPS_KEY });
      await navigate(`/apps/${encodeURIComponent(appId)}`);
    },
  });

  return (
    <>
      <Button leftSection={<IconPlus aria-hidden size={16} />} onClick={open}>
        {say('apps.create')}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={say('apps.create')}
        closeButtonProps={{ 'aria-label': say('confirm.cancel') }}
      >
        <form onSubmit={form.onSubmit((values) => creating.mutate(values))}>
          <Stack>
            <TextInput
              label={say('apps.id')}
              description={say('apps.idHint')}
              required
              data-autofocus
              {...form.getInputProps('appId')}
            />
            <TextInput label={say('apps.name')} {...form.getInputProps('appName')} />
            {creating.isError && <Failure error={creating.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={creating.isPending}>
                {say('apps.create')}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
