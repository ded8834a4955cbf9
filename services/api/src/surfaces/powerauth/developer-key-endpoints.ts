import { Type } from '@sinclair/typebox';

import { AppName } from './app-endpoints.ts';
import { answering, taking, takingFrom } from './envelope.ts';
import { AppId, nullable, optional, text } from './fields.ts';

const tag = 'Administration';

const Name = text({
  minLength: 1,
  maxLength: 255,
  pattern: '\\S',
  'x-hint': 'must not be blank',
});
const DeveloperKey = text({ minLength: 1, maxLength: 128 });
const Carrier = text({
  minLength: 1,
  maxLength: 255,
  pattern: '^[^@/\\s]+$',
  'x-hint': 'must not contain @, / or blanks',
});
const Carriers = Type.Array(Carrier, {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: 'Whose users it may send to; the first is that of a receiver without carrier.',
});
const Secret = Type.String({ description: 'Shown this once.' });

const MAX_VALID_SECONDS = 90 * 24 * 3600;
export const DEFAULT_VALID_SECONDS = 24 * 3600;

export const CREATE_DEVELOPER_KEY = answering(
  Type.Object(
    { developerKey: Type.String(), secret: Secret, createdAt: Type.String() },
    { title: 'CreatedDeveloperKey' },
  ),
  taking(
    Type.Object({ ...AppName, name: Name, carriers: Carriers }, { title: 'CreateDeveloperKey' }),
    {
      tag,
      scope: ['admin'],
      summary: 'Makes a developer key for signed requests (M800)',
      methods: ['post'],
      paths: ['/admin/app/developer-key/create'],
    },
  ),
);

const Listed = Type.Object(
  {
    developerKey: Type.String(),
    name: Type.String(),
    carriers: Type.Array(Type.String()),
    enabled: Type.Boolean(),
    disabledAt: nullable(Type.String()),
    createdAt: Type.String(),
    oldSecretValidUntil: nullable(
      Type.String({ description: 'While the secret before the current one is valid, too.' }),
    ),
  },
  { title: 'DeveloperKey' },
);

export const LIST_DEVELOPER_KEYS = answering(
  Type.Object({ developerKeyList: Type.Array(Listed) }),
  takingFrom('query', Type.Object({ appId: AppId }), {
    tag,
    scope: ['admin'],
    summary: 'Lists the developer keys of an application, without their secrets',
    methods: ['get'],
    paths: ['/admin/app/developer-key/list'],
  }),
);

const named = Type.Object({ developerKey: DeveloperKey }, { title: 'NamedDeveloperKey' });

export const DISABLE_DEVELOPER_KEY = taking(named, {
  tag,
  scope: ['admin'],
  summary: 'Takes no more requests of a developer key, within a second or two',
  methods: ['post'],
  paths: ['/admin/app/developer-key/disable'],
});

export const ENABLE_DEVELOPER_KEY = taking(named, {
  tag,
  scope: ['admin'],
  summary: 'Takes requests of a developer key again',
  methods: ['post'],
  paths: ['/admin/app/developer-key/enable'],
});

export const ROTATE_DEVELOPER_KEY = answering(
  Type.Object(
    { secret: Secret, oldSecretValidUntil: nullable(Type.String()) },
    { title: 'RotatedDeveloperKey' },
  ),
  taking(
    Type.Object(
      {
        developerKey: DeveloperKey,
        validForSeconds: optional(
          Type.Integer({
            minimum: 0,
            maximum: MAX_VALID_SECONDS,
            description:
              'How long the old secret stays valid: a day unless given. 0 ends every other one.',
          }),
        ),
      },
      { title: 'RotateDeveloperKey' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Gives a developer key a new secret',
      methods: ['post'],
      paths: ['/admin/app/developer-key/rotate'],
    },
  ),
);
