import { Card, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface SendStepProps {
  readonly title: string;
  readonly hint?: string;
  readonly children: ReactNode;
}

/** A step towards a sending. */
export function SendStep({ title, hint, children }: SendStepProps) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Stack>
        <div>
          <Title order={2} size="h4">
            {title}
          </Title>
          {hint !== undefined && <Text c="dimmed">{hint}</Text>}
        </div>
        {children}
      </Stack>
    </Card>
  );
}
