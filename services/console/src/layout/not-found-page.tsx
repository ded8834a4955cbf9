import { Anchor, Stack, Title } from '@mantine/core';
import { Link } from 'react-router';

import { useText } from '../i18n/text.tsx';

export function NotFoundPage() {
  const say = useText();
  return (
    <Stack>
      <Title order={1}>{say('notFound.title')}</Title>
      <Anchor component={Link} to="/">
        {say('notFound.back')}
      </Anchor>
    </Stack>
  );
}
