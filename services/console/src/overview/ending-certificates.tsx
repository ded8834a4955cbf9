import type { StoredCertificate } from '@heliograph/client';

import { Expiry } from '../apps/expiry.tsx';
import { useText } from '../i18n/text.tsx';
import { OverviewCard } from './overview-card.tsx';
import { OverviewRow } from './overview-row.tsx';

/** What somebody has to replace within the month. */
export function EndingCertificates({
  certificates,
}: {
  readonly certificates: readonly StoredCertificate[];
}) {
  const say = useText();
  return (
    <OverviewCard title={say('overview.certificates')} empty={say('overview.noCertificates')}>
      {certificates.map(({ appId, kind, platform, brandId, fingerprint, commonName, validTo }) => (
        <OverviewRow
          key={`${appId} ${kind} ${platform} ${brandId} ${fingerprint}`}
          name={commonName}
          detail={`${appId} · ${say(`certificates.${kind}`)}`}
        >
          <Expiry validTo={validTo} />
        </OverviewRow>
      ))}
    </OverviewCard>
  );
}
