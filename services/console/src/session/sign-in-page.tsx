import {
  Alert,
  Button,
  Center,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';

import { ApiError } from '../api/api-error.ts';
import { useText } from '../i18n/text.tsx';
import { Brand } from '../layout/brand.tsx';
import { describeFailure } from '../layout/failure.tsx';
import { OtherWays, useOtherFailure } from './other-ways.tsx';
import { signIn, type Session } from './session.ts';

export function SignInPage({ enter }: { readonly enter: (session: Session) => void }) {
  const say = useText();
  const otherFailure = useOtherFailure();
  const form = useForm({ initialValues: { name: '', password: '' } });
  const signingIn = useMutation({
    mutationFn: ({ name, password }: typeof form.values) => signIn(name, password),
    onSuccess: enter,
    onError: () => form.setFieldValue('password', ''),
  });
  const failure = signingIn.isError
    ? explain(signingIn.error, say)
    : otherFailure && say(`signIn.byOther.${otherFailure}`);

  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder shadow="sm" p="xl" w="100%" maw={400}>
        <form onSubmit={form.onSubmit((values) => signingIn.mutate(values))}>
          <Stack>
            <Brand />
            <Title order={1} size="h3">
              {say('signIn.title')}
            </Title>
            {failure !== undefined && (
              <Alert color="red" role="alert">
                {failure}
              </Alert>
            )}
            <TextInput
              label={say('signIn.name')}
              autoComplete="username"
              autoCapitalize="none"
              autoFocus
              required
              {...form.getInputProps('name')}
            />
            <PasswordInput
              label={say('signIn.password')}
              autoComplete="current-password"
              required
              {...form.getInputProps('password')}
            />
            <Button type="submit" loading={signingIn.isPending}>
              {say('signIn.submit')}
            </Button>
            <OtherWays />
            <Text size="sm" c="dimmed">
              {say('signIn.noAccount')}
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

function explain(error: Error, say: ReturnType<typeof useText>): string {
  if (!(error instanceof ApiError)) return describeFailure(error, say);
  if (error.status === 401) return say('signIn.wrong');
  if (error.status === 429) return say('signIn.throttled', { seconds: error.retryAfterSeconds });
  return describeFailure(error, say);
}
