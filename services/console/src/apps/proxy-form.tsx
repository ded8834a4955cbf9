import { Checkbox, Group, NativeSelect, PasswordInput, SimpleGrid, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import type { CredentialFormProps } from './credential-form.ts';
import { FileDrop } from './file-drop.tsx';
import { listPemKinds, type PemKind } from './pem.ts';
import { RateInput } from './rate-input.tsx';
import { readBase64 } from './read-base64.ts';
import { useSaved } from './use-save.ts';

interface ProxyFormProps extends CredentialFormProps {
  readonly platform: 'ios' | 'android';
}

const GONE = ['404', '410'] as const;
const KEYS: readonly PemKind[] = ['key', 'encrypted-key'];

/** The customer's own server, which pushes on. It is known by its certificate, and knows us by ours, or by a password. */
export function ProxyForm({ appId, platform, detail, close }: ProxyFormProps) {
  const say = useText();
  const api = useApi();
  const tellSaved = useSaved(appId);
  const now = platform === 'ios' ? detail.apnsProxy : detail.fcmProxy;
  const [rate, setRate] = useState(now?.ratePerSecond ?? undefined);
  const certificate = usePemFile(['certificate'], say('proxy.noCertificate'));
  const key = usePemFile(KEYS, say('proxy.noKey'));
  const authority = usePemFile(['certificate'], say('proxy.noCertificate'));
  const form = useForm({
    initialValues: {
      url: now?.url ?? '',
      schema: now?.schema ?? 'current',
      brandId: now?.brandId ?? '',
      backendService: now?.backendService ?? '',
      goneOn: (now?.goneOn ?? [410]).map(String),
      retry: now?.retry ?? 'documented',
      keyPassword: '',
      basicUsername: now?.basicUsername ?? '',
      basicPassword: '',
    },
  });

  const save = async () => {
    const { url, schema, retry, goneOn, ...texts } = form.values;
    await api.apps.saveProxy({
      appId,
      platform,
      url: url.trim(),
      schema,
      retry,
      goneOn: goneOn.map((status) => (status === '404' ? 404 : 410)),
      ratePerSecond: rate,
      certificateBase64: await certificate.read(),
      privateKeyBase64: await key.read(),
      // What is known of the server's authority stays unless replaced.
      caBase64: (await authority.read()) ?? now?.caBase64 ?? undefined,
      privateKeyPassword: orNothing(texts.keyPassword),
      basicUsername: orNothing(texts.basicUsername.trim()),
      basicPassword: orNothing(texts.basicPassword),
      brandId: orNothing(texts.brandId.trim()),
      backendService: orNothing(texts.backendService.trim()),
    });
    await tellSaved(false);
  };

  return (
    <DialogForm
      submit={say('credentials.save')}
      disabled={[certificate, key, authority].some(({ error }) => error !== undefined)}
      close={close}
      act={save}
      onDone={close}
    >
      <TextInput
        type="url"
        label={say('proxy.url')}
        description={say('proxy.urlHint')}
        required
        {...form.getInputProps('url')}
      />
      <FileDrop
        label={say('proxy.certificate')}
        hint={say(now?.certificate ? 'proxy.certificateAgain' : 'proxy.certificateHint')}
        accept=".pem,.crt,.cer"
        isOptional
        {...certificate.input}
      />
      <FileDrop
        label={say('proxy.key')}
        hint={say('proxy.keyHint')}
        accept=".pem,.key"
        isOptional
        {...key.input}
      />
      <PasswordInput
        label={say('proxy.keyPassword')}
        autoComplete="off"
        {...form.getInputProps('keyPassword')}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={say('proxy.basicUsername')}
          autoComplete="off"
          {...form.getInputProps('basicUsername')}
        />
        <PasswordInput
          label={say('proxy.basicPassword')}
          autoComplete="off"
          {...form.getInputProps('basicPassword')}
        />
        <NativeSelect
          label={say('proxy.schema')}
          data={[
            { value: 'current', label: say('proxy.schemaCurrent') },
            { value: '2017', label: '2017' },
          ]}
          {...form.getInputProps('schema')}
        />
        <NativeSelect
          label={say('proxy.retry')}
          data={[
            { value: 'documented', label: say('proxy.retryDocumented') },
            { value: 'until_expiry', label: say('proxy.retryUntilExpiry') },
          ]}
          {...form.getInputProps('retry')}
        />
        <TextInput
          label={say('proxy.brandId')}
          description={say('proxy.unlessSaid')}
          {...form.getInputProps('brandId')}
        />
        <TextInput
          label={say('proxy.backendService')}
          description={say('proxy.unlessSaid')}
          {...form.getInputProps('backendService')}
        />
      </SimpleGrid>
      <Checkbox.Group label={say('proxy.goneOn')} {...form.getInputProps('goneOn')}>
        <Group mt="xs">
          {GONE.map((status) => (
            <Checkbox key={status} value={status} label={status} />
          ))}
        </Group>
      </Checkbox.Group>
      <FileDrop
        label={say('proxy.ca')}
        hint={say(now?.caBase64 ? 'proxy.caKept' : 'proxy.caHint')}
        accept=".pem,.crt,.cer"
        isOptional
        {...authority.input}
      />
      <RateInput value={rate} onChange={setRate} />
    </DialogForm>
  );
}

/** A file in PEM that must hold one of those kinds. */
function usePemFile(kinds: readonly PemKind[], fault: string) {
  const [value, setValue] = useState<File | null>(null);
  const [error, setError] = useState<string>();
  const choose = async (file: File | null) => {
    setValue(file);
    setError(undefined);
    if (file === null) return;
    const found = listPemKinds(await file.text());
    if (!found.some((kind) => kinds.includes(kind))) setError(fault);
  };
  return {
    error,
    input: { value, error, onChange: (file: File | null) => void choose(file) },
    read: async () => (value === null ? undefined : await readBase64(value)),
  };
}

function orNothing(text: string): string | undefined {
  return text === '' ? undefined : text;
}
