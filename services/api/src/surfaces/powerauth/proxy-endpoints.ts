import { Type } from '@sinclair/typebox';

import { taking, takingFrom } from './envelope.ts';
import { verifying } from './verifying.ts';
import { AppId, oneOf, optional, Platform, RatePerSecond, text } from './fields.ts';

const tag = 'Administration';
const paths = ['/admin/app/proxy'];

const File = (description: string) =>
  optional(Type.String({ format: 'byte', minLength: 1, contentEncoding: 'base64', description }));
const Named = optional(text({ minLength: 1, maxLength: 255 }));
/** Neither can hold what would end its header. */
const BasicUsername = text({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^:\\u0000-\\u001f\\u007f]+$',
});
const BasicPassword = text({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
});

const BodySchema = oneOf(
  ['2017', 'current'],
  'Which of the documented bodies it takes; current unless given.',
);
const Retry = oneOf(
  ['documented', 'until_expiry'],
  'After trouble: every 10 s, four attempts in all; or ever more slowly until the message expires. documented unless given.',
);
const GoneStatus = Type.Unsafe<404 | 410>({ type: 'integer', enum: [404, 410] });

export const SAVE_PROXY = verifying(
  taking(
    Type.Object(
      {
        appId: AppId,
        platform: Platform,
        url: text({
          minLength: 1,
          maxLength: 2048,
          description: 'https, without name and password, at a public address.',
        }),
        certificateBase64: File(
          'PEM: the client certificate, then those that lead to its authority.',
        ),
        privateKeyBase64: File('PEM: the key of the certificate.'),
        privateKeyPassword: optional(
          text({ maxLength: 1024, description: 'Of the key, where it is encrypted.' }),
        ),
        basicUsername: optional(BasicUsername),
        basicPassword: optional(BasicPassword),
        caBase64: File('PEM: authorities to trust beside the public ones.'),
        schema: optional(BodySchema),
        brandId: Named,
        backendService: Named,
        goneOn: optional(
          Type.Array(GoneStatus, {
            maxItems: 2,
            uniqueItems: true,
            description:
              'The statuses by which it says that a push token is dead; [410] unless given.',
          }),
        ),
        retry: optional(Retry),
        ratePerSecond: optional(RatePerSecond),
      },
      { title: 'SaveProxy' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: "Sends a platform's pushes by the customer's proxy; the certificate is checked",
      methods: ['post', 'put'],
      paths,
    },
    { listViolations: true },
  ),
);

export const REMOVE_PROXY = takingFrom('query', Type.Object({ appId: AppId, platform: Platform }), {
  tag,
  scope: ['admin'],
  summary: "Removes a customer's proxy; the application's own credential is in use again",
  methods: ['delete'],
  paths,
});
