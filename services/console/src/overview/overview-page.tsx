import { Title } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

export function OverviewPage() {
  const say = useText();
  return <Title order={1}>{say('nav.overview')}</Title>;
}
