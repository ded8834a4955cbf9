import { TextInput } from '@mantine/core';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import type { CredentialFormProps } from './credential-form.ts';
import { FileDrop } from './file-drop.tsx';
import { RateInput } from './rate-input.tsx';
import { readBase64 } from './read-base64.ts';
import { readServiceAccount, type ServiceAccount } from './service-account.ts';
import { PATIENT, useSaved } from './use-save.ts';
import { VerifySwitch } from './verify-switch.tsx';

/** The service account that Firebase made; its file names the project. */
export function FcmForm({ appId, detail, close }: CredentialFormProps) {
  const say = useText();
  const api = useApi();
  const tellSaved = useSaved(appId);
  const [file, setFile] = useState<File | null>(null);
  const [account, setAccount] = useState<ServiceAccount>();
  const [fault, setFault] = useState<string>();
  const [projectId, setProjectId] = useState(detail.fcmProjectId ?? '');
  const [rate, setRate] = useState(detail.fcmRatePerSecond ?? undefined);
  const [verify, setVerify] = useState(true);

  const choose = async (chosen: File | null) => {
    setFile(chosen);
    setAccount(undefined);
    setFault(undefined);
    if (chosen === null) return;
    const read = readServiceAccount(await chosen.text());
    if (read === undefined) return setFault(say('credentials.noServiceAccount'));
    setAccount(read);
    setProjectId(read.projectId);
  };

  return (
    <DialogForm
      submit={say(verify ? 'credentials.verifyAndSave' : 'credentials.save')}
      disabled={account === undefined}
      close={close}
      act={async () => {
        if (file === null) return;
        const privateKeyBase64 = await readBase64(file);
        await api.apps.saveFcm(
          { appId, projectId: projectId.trim(), privateKeyBase64, ratePerSecond: rate },
          { verify },
          PATIENT,
        );
        await tellSaved(verify);
      }}
      onDone={close}
    >
      <FileDrop
        label={say('credentials.serviceAccount')}
        hint={account?.clientEmail ?? say('credentials.serviceAccountHint')}
        accept=".json"
        value={file}
        error={fault}
        onChange={(chosen) => void choose(chosen)}
      />
      <TextInput
        label={say('credentials.projectId')}
        description={say('credentials.projectIdHint')}
        value={projectId}
        onChange={(event) => setProjectId(event.currentTarget.value)}
        required
      />
      <RateInput value={rate} onChange={setRate} />
      <VerifySwitch checked={verify} onChange={setVerify} />
    </DialogForm>
  );
}
