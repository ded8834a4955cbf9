import { listCertificates, type Db, type StoredCertificate } from '@heliograph/db';

import { ofAppIfNamed } from '../../access/subject.ts';
import { getApp } from '../../apps/get-app.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { LIST_CERTIFICATES, type CertificateAnswer } from './certificate-endpoints.ts';
import { toWireAppId } from './fields.ts';

/** Which certificates somebody will have to replace, and when. */
export function certificateRoutes(deps: {
  readonly db: Db;
  readonly now: () => Date;
}): readonly Route[] {
  return [
    route(LIST_CERTIFICATES, ofAppIfNamed(), async ({ appId, page, size }, { caller }) => {
      const found = await listCertificates(deps.db, {
        appRef: appId === undefined ? caller.app?.ref : (await getApp(deps.db, { appId })).id,
        now: deps.now(),
        limit: size,
        offset: page * size,
      });
      return { content: { certificateList: found.map(toWireCertificate) }, page, size };
    }),
  ];
}

export function toWireCertificate({
  appId,
  provider,
  fingerprint,
  validTo,
  ...certificate
}: StoredCertificate): CertificateAnswer {
  return {
    ...certificate,
    appId: toWireAppId(appId),
    platform: provider && (provider === 'apns' ? 'ios' : 'android'),
    fingerprint: fingerprint.toString('hex'),
    validTo: toWireDate(validTo),
  };
}
