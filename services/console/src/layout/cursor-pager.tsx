import { Button, Group } from '@mantine/core';
import { IconChevronRight, IconChevronsLeft } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';

import { useText } from '../i18n/text.tsx';

const PARAMETER = 'after';

/** Where the page of a list begins that the address names; undefined for the first. */
export function useCursor(): string | undefined {
  return useSearchParams()[0].get(PARAMETER) ?? undefined;
}

/** To the page behind this one and back to the first. By cursor, so that page ten thousand is as quick as page two. */
export function CursorPager({ next }: { readonly next: string | number | null | undefined }) {
  const say = useText();
  const [parameters, setParameters] = useSearchParams();
  const isFirst = !parameters.has(PARAMETER);
  const hasNext = next !== null && next !== undefined;
  if (isFirst && !hasNext) return null;

  const goTo = (cursor?: string) =>
    setParameters((now) => {
      const then = new URLSearchParams(now);
      if (cursor === undefined) then.delete(PARAMETER);
      else then.set(PARAMETER, cursor);
      return then;
    });

  return (
    <Group component="nav" aria-label={say('pager.label')} justify="flex-end" gap="xs">
      <Button
        variant="default"
        disabled={isFirst}
        leftSection={<IconChevronsLeft aria-hidden size={16} />}
        onClick={() => goTo()}
      >
        {say('pager.first')}
      </Button>
      <Button
        variant="default"
        disabled={!hasNext}
        rightSection={<IconChevronRight aria-hidden size={16} />}
        onClick={() => goTo(String(next))}
      >
        {say('pager.next')}
      </Button>
    </Group>
  );
}
