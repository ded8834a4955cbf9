import { Group, Stack, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useEffect, useRef, type ReactNode } from 'react';

import { useText } from '../i18n/text.tsx';

interface PageProps {
  /** The heading, and what the browser's tab says. */
  readonly title: string;
  /** What can be done here: buttons beside the heading. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page: its heading gets the focus when it opens, so that a screen reader says where one is. */
export function Page({ title, actions, children }: PageProps) {
  const say = useText();
  useDocumentTitle(`${title} – ${say('app.name')}`);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);

  return (
    <Stack gap="lg">
      <Group justify="space-between" align="center">
        <Title ref={heading} order={1} size="h2" tabIndex={-1} style={{ outline: 'none' }}>
          {title}
        </Title>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}
