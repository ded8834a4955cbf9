import { CERTIFICATE_KINDS } from '@heliograph/db';
import { Type, type Static } from '@sinclair/typebox';

import { AppId, nullable, oneOf, optional, WireAppId } from './fields.ts';
import { answeringPage, takingPageOf } from './paging.ts';

export const Certificate = Type.Object(
  {
    appId: WireAppId,
    kind: oneOf(
      CERTIFICATE_KINDS,
      'Sends to APNs, sends to a customer’s proxy, or is what a LivePerson sender shows.',
    ),
    platform: nullable(oneOf(['ios', 'android'])),
    brandId: nullable(Type.String({ description: 'Of LivePerson only.' })),
    commonName: Type.String(),
    fingerprint: Type.String({ description: 'SHA-256, in hex.' }),
    validTo: Type.String({ format: 'date-time' }),
    daysLeft: Type.Integer({
      description: 'Whole days, rounded down: below 0 once it has ended.',
    }),
  },
  { title: 'StoredCertificate' },
);

export type CertificateAnswer = Static<typeof Certificate>;

export const LIST_CERTIFICATES = answeringPage(
  Type.Object({ certificateList: Type.Array(Certificate) }),
  takingPageOf(Type.Object({ appId: optional(AppId) }), {
    tag: 'Administration',
    scope: ['admin'],
    summary: 'Lists the certificates that are stored, the first to end first',
    methods: ['get'],
    paths: ['/admin/certificate/list'],
  }),
);
