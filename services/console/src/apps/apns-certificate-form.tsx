import { PasswordInput, SimpleGrid, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import type { CredentialFormProps } from './credential-form.ts';
import { EnvironmentSelect, isEnvironment, type Environment } from './environment-select.tsx';
import { FileDrop } from './file-drop.tsx';
import { RateInput } from './rate-input.tsx';
import { readBase64 } from './read-base64.ts';
import { PATIENT, useSaved } from './use-save.ts';
import { VerifySwitch } from './verify-switch.tsx';

/** A certificate with its key. The api reads which apps it is for, and until when. */
export function ApnsCertificateForm({ appId, detail, close }: CredentialFormProps) {
  const say = useText();
  const api = useApi();
  const tellSaved = useSaved(appId);
  const [file, setFile] = useState<File | null>(null);
  const [password, setPassword] = useState('');
  const [bundle, setBundle] = useState(detail.apnsBundle ?? '');
  const [environment, setEnvironment] = useState<Environment>(
    isEnvironment(detail.apnsEnvironment) ? detail.apnsEnvironment : 'production',
  );
  const [rate, setRate] = useState(detail.apnsRatePerSecond ?? undefined);
  const [verify, setVerify] = useState(true);

  return (
    <DialogForm
      submit={say(verify ? 'credentials.verifyAndSave' : 'credentials.save')}
      disabled={file === null}
      close={close}
      act={async () => {
        if (file === null) return;
        await api.apps.saveApnsCertificate(
          {
            appId,
            certificateBase64: await readBase64(file),
            environment,
            ratePerSecond: rate,
            ...(bundle.trim() === '' ? {} : { bundle: bundle.trim() }),
            ...(password === '' ? {} : { certificatePassword: password }),
          },
          { verify },
          PATIENT,
        );
        await tellSaved(verify);
      }}
      onDone={close}
    >
      <FileDrop
        label={say('credentials.certificateFile')}
        hint={say('credentials.certificateFileHint')}
        accept=".p12,.pfx,.pem"
        value={file}
        onChange={setFile}
      />
      <PasswordInput
        label={say('credentials.password')}
        description={say('credentials.passwordHint')}
        autoComplete="off"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={say('credentials.bundle')}
          description={say('credentials.bundleOfCertificate')}
          value={bundle}
          onChange={(event) => setBundle(event.currentTarget.value)}
        />
        <EnvironmentSelect value={environment} onChange={setEnvironment} />
      </SimpleGrid>
      <RateInput value={rate} onChange={setRate} />
      <VerifySwitch checked={verify} onChange={setVerify} />
    </DialogForm>
  );
}
