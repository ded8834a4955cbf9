import { Type, type Static } from '@sinclair/typebox';

import { AppName } from './app-endpoints.ts';
import { answering, taking, takingFrom } from './envelope.ts';
import { AppId, nullable, optional, text, WireAppId } from './fields.ts';

const tag = 'LivePerson';

const BrandId = text({
  minLength: 1,
  maxLength: 255,
  pattern: '\\S',
  'x-hint': 'must not be blank',
  description: "The brand's account number at LivePerson.",
});

const Sender = Type.Object(
  {
    appId: WireAppId,
    brandId: Type.String(),
    name: nullable(Type.String()),
    basicUsername: nullable(Type.String()),
    certificates: Type.Array(
      Type.Object({
        commonName: Type.String(),
        fingerprint: Type.String({ description: 'SHA-256, in hex.' }),
        validTo: Type.String({ format: 'date-time' }),
      }),
    ),
  },
  { title: 'LivePersonSender' },
);

export type SenderAnswer = Static<typeof Sender>;

const Basic = Type.Object(
  {
    username: text({
      minLength: 1,
      maxLength: 255,
      pattern: '^[^:]*$',
      'x-hint': 'must not contain a colon',
    }),
    password: optional(
      text({ minLength: 8, maxLength: 255, description: 'One is made where none is given.' }),
    ),
  },
  { title: 'LivePersonBasic' },
);

export const SAVE_SENDER = answering(
  Type.Object({
    sender: Sender,
    basicPassword: optional(
      Type.String({ description: 'The password that was made. It is shown this once.' }),
    ),
  }),
  taking(
    Type.Object(
      {
        ...AppName,
        brandId: BrandId,
        name: optional(text({ maxLength: 255 })),
        certificatePem: optional(
          text({
            minLength: 1,
            maxLength: 65_536,
            description:
              "The sender's own certificate in PEM, without its key. It is added to those that the sender has; a new sender needs one.",
          }),
        ),
        basic: optional(Basic),
        removeBasic: optional(Type.Boolean({ description: 'The certificate is enough.' })),
      },
      { title: 'SaveLivePersonSender' },
    ),
    {
      tag,
      scope: ['admin'],
      summary:
        'Lets a brand hand over pushes for an application, or changes how it shows who it is',
      methods: ['post', 'put'],
      paths: ['/admin/app/liveperson'],
    },
  ),
);

export const LIST_SENDERS = answering(
  Type.Object({ senderList: Type.Array(Sender) }),
  takingFrom('query', Type.Object({ appId: optional(AppId) }), {
    tag,
    scope: ['admin'],
    summary: 'Lists who may hand over pushes',
    methods: ['get'],
    paths: ['/admin/app/liveperson/list'],
  }),
);

export const REMOVE_SENDER = taking(
  Type.Object({ ...AppName, brandId: BrandId }, { title: 'LivePersonSenderName' }),
  {
    tag,
    scope: ['admin'],
    summary: 'Takes no more pushes of the brand for the application',
    methods: ['post', 'delete'],
    paths: ['/admin/app/liveperson/remove'],
  },
);

export const REMOVE_SENDER_CERTIFICATE = taking(
  Type.Object(
    {
      ...AppName,
      brandId: BrandId,
      fingerprint: text({
        pattern: '^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$',
        'x-hint': 'must be a SHA-256 in hex',
        description: 'SHA-256 in hex, with or without colons.',
      }),
    },
    { title: 'LivePersonCertificateName' },
  ),
  {
    tag,
    scope: ['admin'],
    summary: 'Knows the sender by this certificate no more',
    methods: ['post', 'delete'],
    paths: ['/admin/app/liveperson/certificate/remove'],
  },
);
