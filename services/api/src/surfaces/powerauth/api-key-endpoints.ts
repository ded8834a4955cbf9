import { SCOPES } from '@heliograph/core';
import { Type, type Static } from '@sinclair/typebox';

import { answering, taking, takingFrom } from './envelope.ts';
import { AppId, instant, nullable, oneOf, optional, text, WireAppId } from './fields.ts';

const tag = 'Administration';

const ScopeName = oneOf(SCOPES);
const Instant = Type.String({ format: 'date-time' });
const KeyId = text({ minLength: 1, maxLength: 255, description: 'What follows `hg_` in the key.' });

export const CREATE_API_KEY = answering(
  Type.Object(
    {
      keyId: Type.String(),
      key: Type.String({ description: 'The whole key. Shown here and never again.' }),
      timestampCreated: Instant,
    },
    { title: 'CreatedApiKey' },
  ),
  taking(
    Type.Object(
      {
        name: text({
          minLength: 1,
          maxLength: 255,
          description: 'Who is to use it, and for what.',
        }),
        scopes: Type.Array(ScopeName, { minItems: 1, maxItems: SCOPES.length }),
        appId: optional(AppId),
        ratePerSecond: optional(
          Type.Number({
            minimum: 0,
            maximum: 1_000_000,
            description:
              'Requests per second over all servers; 0: no limit. As the server is configured unless given.',
          }),
        ),
        expiresAt: optional(
          instant({
            description: 'Not valid from this instant on.',
            examples: ['2027-01-01T00:00:00Z'],
          }),
        ),
      },
      { title: 'CreateApiKey' },
    ),
    {
      tag,
      scope: ['admin'],
      summary: 'Makes an API key, for one application or for all',
      methods: ['post'],
      paths: ['/admin/key/create'],
    },
  ),
);

const Listed = Type.Object(
  {
    keyId: Type.String(),
    name: Type.String(),
    scopes: Type.Array(ScopeName),
    appId: nullable(WireAppId),
    ratePerSecond: nullable(Type.Number()),
    state: oneOf(['active', 'expired', 'revoked']),
    timestampCreated: Instant,
    timestampExpires: nullable(Instant),
    timestampRevoked: nullable(Instant),
    timestampLastUsed: nullable(
      Type.String({ format: 'date-time', description: 'True to a minute.' }),
    ),
  },
  { title: 'ApiKey' },
);

export type ApiKeyAnswer = Static<typeof Listed>;

export const LIST_API_KEYS = answering(
  Type.Object({ keyList: Type.Array(Listed) }),
  takingFrom('query', Type.Object({ appId: optional(AppId) }), {
    tag,
    scope: ['admin'],
    summary: 'Lists the API keys, without their secrets',
    methods: ['get'],
    paths: ['/admin/key/list'],
  }),
);

export const REVOKE_API_KEY = taking(Type.Object({ keyId: KeyId }, { title: 'RevokeApiKey' }), {
  tag,
  scope: ['admin'],
  summary: 'Takes no more requests with an API key, within a second or two; for good',
  methods: ['post', 'delete'],
  paths: ['/admin/key/revoke'],
});
