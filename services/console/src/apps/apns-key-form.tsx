import { SimpleGrid, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import type { CredentialFormProps } from './credential-form.ts';
import { EnvironmentSelect, isEnvironment, type Environment } from './environment-select.tsx';
import { FileDrop } from './file-drop.tsx';
import { findKeyId } from './key-id.ts';
import { listPemKinds } from './pem.ts';
import { RateInput } from './rate-input.tsx';
import { readBase64 } from './read-base64.ts';
import { PATIENT, useSaved } from './use-save.ts';
import { VerifySwitch } from './verify-switch.tsx';

/** A .p8 key of Apple's, which does not expire. */
export function ApnsKeyForm({ appId, detail, close }: CredentialFormProps) {
  const say = useText();
  const api = useApi();
  const tellSaved = useSaved(appId);
  const [file, setFile] = useState<File | null>(null);
  const [fault, setFault] = useState<string>();
  const [keyId, setKeyId] = useState(detail.apnsKeyId ?? '');
  const [teamId, setTeamId] = useState(detail.apnsTeamId ?? '');
  const [bundle, setBundle] = useState(detail.apnsBundle ?? '');
  const [environment, setEnvironment] = useState<Environment>(
    isEnvironment(detail.apnsEnvironment) ? detail.apnsEnvironment : 'production',
  );
  const [rate, setRate] = useState(detail.apnsRatePerSecond ?? undefined);
  const [verify, setVerify] = useState(true);

  const choose = async (chosen: File | null) => {
    setFile(chosen);
    setFault(undefined);
    if (chosen === null) return;
    const named = findKeyId(chosen.name);
    if (named !== undefined) setKeyId(named);
    if (!listPemKinds(await chosen.text()).includes('key')) setFault(say('credentials.noP8'));
  };

  return (
    <DialogForm
      submit={say(verify ? 'credentials.verifyAndSave' : 'credentials.save')}
      disabled={file === null || fault !== undefined}
      close={close}
      act={async () => {
        if (file === null) return;
        const privateKeyBase64 = await readBase64(file);
        await api.apps.saveApns(
          {
            appId,
            bundle: bundle.trim(),
            keyId: keyId.trim(),
            teamId: teamId.trim(),
            privateKeyBase64,
            environment,
            ratePerSecond: rate,
          },
          { verify },
          PATIENT,
        );
        await tellSaved(verify);
      }}
      onDone={close}
    >
      <FileDrop
        label={say('credentials.p8')}
        hint={say('credentials.p8Hint')}
        accept=".p8"
        value={file}
        error={fault}
        onChange={(chosen) => void choose(chosen)}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label={say('credentials.keyId')}
          description={say('credentials.keyIdHint')}
          value={keyId}
          onChange={(event) => setKeyId(event.currentTarget.value)}
          required
        />
        <TextInput
          label={say('credentials.teamId')}
          description={say('credentials.teamIdHint')}
          value={teamId}
          onChange={(event) => setTeamId(event.currentTarget.value)}
          required
        />
        <TextInput
          label={say('credentials.bundle')}
          description={say('credentials.bundleHint')}
          value={bundle}
          onChange={(event) => setBundle(event.currentTarget.value)}
          required
        />
        <EnvironmentSelect value={environment} onChange={setEnvironment} />
      </SimpleGrid>
      <RateInput value={rate} onChange={setRate} />
      <VerifySwitch checked={verify} onChange={setVerify} />
    </DialogForm>
  );
}
