import { Button, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';

const PARAMETER = 'page';

/** Which page the address names, from 0 on. */
export function usePageNumber(): number {
  const given = useSearchParams()[0].get(PARAMETER) ?? '';
  return /^\d{1,9}$/.test(given) ? Number(given) : 0;
}

/** To the pages beside this one, of lists that have no cursor. */
export function NumberPager({ hasNext }: { readonly hasNext: boolean }) {
  const say = useText();
  const setParameters = useSearchParams()[1];
  const page = usePageNumber();
  if (page === 0 && !hasNext) return null;

  const goTo = (other: number) =>
    setParameters((now) => {
      const then = new URLSearchParams(now);
      if (other === 0) then.delete(PARAMETER);
      else then.set(PARAMETER, String(other));
      return then;
    });

  return (
    <Group component="nav" aria-label={say('pager.label')} justify="flex-end" gap="xs">
      <Text size="sm">{say('pager.page', { page: page + 1 })}</Text>
      <Button
        variant="default"
        disabled={page === 0}
        leftSection={<IconChevronLeft aria-hidden size={16} />}
        onClick={() => goTo(page - 1)}
      >
        {say('pager.previous')}
      </Button>
      <Button
        variant="default"
        disabled={!hasNext}
        rightSection={<IconChevronRight aria-hidden size={16} />}
        onClick={() => goTo(page + 1)}
      >
        {say('pager.next')}
      </Button>
    </Group>
  );
}
