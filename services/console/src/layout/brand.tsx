import { Group, Text } from '@mantine/core';
import { IconSunHigh } from '@tabler/icons-react';

import { useText } from '../i18n/text.tsx';

export function Brand() {
  const say = useText();
  return (
    <Group gap="xs" wrap="nowrap">
      <IconSunHigh aria-hidden color="var(--mantine-color-orange-6)" />
      <Text fw={700} size="lg">
        {say('app.name')}
      </Text>
    </Group>
  );
}
