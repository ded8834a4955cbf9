import { TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';

import { useApi } from '../api/api-provider.tsx';
import { useText } from '../i18n/text.tsx';
import { DialogForm } from '../layout/dialog-form.tsx';
import { FileDrop } from './file-drop.tsx';
import { listPemKinds } from './pem.ts';

interface SaveSenderProps {
  readonly appId: string;
  /** With the password, where one was made. */
  readonly onSaved: (brandId: string, password: string | undefined) => Promise<void>;
  readonly close: () => void;
}

/** A new sender, or a certificate more of one that is known. */
export function SaveSender({ appId, onSaved, close }: SaveSenderProps) {
  const say = useText();
  const api = useApi();
  const [file, setFile] = useState<File | null>(null);
  const [fault, setFault] = useState<string>();
  const form = useForm({ initialValues: { brandId: '', name: '', username: '' } });

  const choose = async (chosen: File | null) => {
    setFile(chosen);
    setFault(undefined);
    if (chosen === null) return;
    const kinds = listPemKinds(await chosen.text());
    const isAlone = kinds.length > 0 && kinds.every((kind) => kind === 'certificate');
    if (!isAlone) setFault(say('liveperson.noCertificate'));
  };
  const save = async () => {
    const { brandId, name, username } = form.values;
    const { basicPassword } = await api.livePerson.saveSender({
      appId,
      brandId: brandId.trim(),
      ...(name.trim() === '' ? {} : { name: name.trim() }),
      ...(username.trim() === '' ? {} : { basic: { username: username.trim() } }),
      ...(file === null ? {} : { certificatePem: await file.text() }),
    });
    await onSaved(brandId.trim(), basicPassword);
  };

  return (
    <DialogForm
      submit={say('liveperson.save')}
      disabled={fault !== undefined}
      close={close}
      act={save}
      onDone={close}
    >
      <TextInput
        label={say('liveperson.brandId')}
        description={say('liveperson.brandIdHint')}
        required
        data-autofocus
        {...form.getInputProps('brandId')}
      />
      <TextInput label={say('apps.name')} {...form.getInputProps('name')} />
      <FileDrop
        label={say('liveperson.certificate')}
        hint={say('liveperson.certificateHint')}
        accept=".pem,.crt,.cer"
        value={file}
        error={fault}
        onChange={(chosen) => void choose(chosen)}
        isOptional
      />
      <TextInput
        label={say('liveperson.username')}
        description={say('liveperson.usernameHint')}
        autoComplete="off"
        {...form.getInputProps('username')}
      />
    </DialogForm>
  );
}
