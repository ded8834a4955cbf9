import { Center, Loader } from '@mantine/core';

import { useText } from '../i18n/text.tsx';

export function Waiting() {
  const say = useText();
  return (
    <Center mih="40dvh" role="status" aria-label={say('waiting')}>
      <Loader />
    </Center>
  );
}
