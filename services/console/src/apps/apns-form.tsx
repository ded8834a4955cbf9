import { SegmentedControl, Stack } from '@mantine/core';
import { useState } from 'react';

import { useText } from '../i18n/text.tsx';
import { ApnsCertificateForm } from './apns-certificate-form.tsx';
import { ApnsKeyForm } from './apns-key-form.tsx';
import type { CredentialFormProps } from './credential-form.ts';

/** Apple takes a key of the team, or a certificate of the app. */
export function ApnsForm(props: CredentialFormProps) {
  const say = useText();
  const [way, setWay] = useState(props.detail.apnsAuth === 'certificate' ? 'certificate' : 'key');
  return (
    <Stack>
      <SegmentedControl
        fullWidth
        aria-label={say('credentials.apnsBy')}
        value={way}
        onChange={setWay}
        data={[
          { value: 'key', label: say('credentials.byKey') },
          { value: 'certificate', label: say('credentials.byCertificate') },
        ]}
      />
      {way === 'key' ? <ApnsKeyForm {...props} /> : <ApnsCertificateForm {...props} />}
    </Stack>
  );
}
