import { MAX_PASSWORD_LENGTH, PASSWORD_RULE, ROLES, SCOPES } from '@heliograph/core';
import { SIGN_IN_WAYS } from '@heliograph/db';
import { Type } from '@sinclair/typebox';

import { LANDING } from '../../console/openid/open-id.ts';
import { SECURE_COOKIE } from '../../console/session-cookie.ts';
import { CSRF_HEADER } from '../../console/sessions.ts';
import type { EndpointDoc } from '../../http/endpoint.ts';
import type { DescribedEndpoint, DescribedSecurity } from '../ops/openapi.ts';
import { answering, leading, taking, takingFrom, takingNothing } from '../powerauth/envelope.ts';
import { nullable, oneOf, optional, text, WireAppId } from '../powerauth/fields.ts';

/*
 * To the gate these are open: they look at the cookie themselves, and a session of any role will do.
 */
const tag = 'Console';
const open = { tag, scope: 'open' } as const;
const headers = { [CSRF_HEADER]: 'As GET /console/session tells it.' };

const Instant = Type.String({ format: 'date-time' });

const Session = Type.Object(
  {
    name: Type.String(),
    role: oneOf(ROLES),
    scopes: Type.Array(oneOf(SCOPES)),
    appId: nullable(WireAppId),
    signInWay: nullable(
      oneOf(
        SIGN_IN_WAYS,
        'By a password, which may be changed here, or by OpenID Connect. Null where access control is off.',
      ),
    ),
    csrfToken: nullable(
      Type.String({
        description: `Goes along as ${CSRF_HEADER} with every request by the session that is no GET. Null where access control is off.`,
      }),
    ),
    timestampCreated: nullable(Instant),
    timestampExpires: nullable(
      Type.String({
        format: 'date-time',
        description: 'When the session is over at the latest. Null where access control is off.',
      }),
    ),
    idleSeconds: Type.Integer({ description: 'A session that is not used for so long is over.' }),
  },
  { title: 'ConsoleSession' },
);

export const SIGN_IN = answering(
  Session,
  taking(
    Type.Object(
      { name: text({ maxLength: 255 }), password: Type.String({ maxLength: 1024 }) },
      { title: 'SignIn' },
    ),
    {
      ...open,
      summary: 'Begins a session: the answer sets its cookie',
      methods: ['post'],
      paths: ['/console/session'],
    },
  ),
);

export const GET_SESSION = answering(
  Session,
  takingNothing({
    ...open,
    summary: 'Who is signed in, and what they may do; 401 where nobody is',
    methods: ['get'],
    paths: ['/console/session'],
  }),
);

export const SIGN_OUT = takingNothing({
  ...open,
  headers,
  summary: 'Ends the session',
  methods: ['delete'],
  paths: ['/console/session'],
});

export const LIST_SESSIONS = answering(
  Type.Object({
    sessionList: Type.Array(
      Type.Object(
        {
          current: Type.Boolean({ description: 'Whether it is the one that asks.' }),
          address: Type.String(),
          userAgent: Type.String(),
          timestampCreated: Instant,
          timestampLastUsed: Type.String({ format: 'date-time', description: 'True to a minute.' }),
          timestampExpires: Instant,
        },
        { title: 'ListedConsoleSession' },
      ),
    ),
  }),
  takingNothing({
    ...open,
    summary: 'The sessions of the user who is signed in, the latest first',
    methods: ['get'],
    paths: ['/console/session/list'],
  }),
);

export const SIGN_OUT_EVERYWHERE = takingNothing({
  ...open,
  headers,
  summary: 'Ends every session of the user who is signed in, this one too',
  methods: ['delete'],
  paths: ['/console/session/all'],
});

export const CHANGE_OWN_PASSWORD = taking(
  Type.Object(
    {
      password: Type.String({ maxLength: 1024, description: 'The present one.' }),
      newPassword: Type.String({
        maxLength: 2 * MAX_PASSWORD_LENGTH,
        description: `The one from now on; ${PASSWORD_RULE}.`,
      }),
    },
    { title: 'ChangeOwnPassword' },
  ),
  {
    ...open,
    headers,
    summary: 'Gives the user who is signed in another password; all other sessions of the user end',
    methods: ['post'],
    paths: ['/console/session/password'],
  },
);

export const LIST_SIGN_IN_WAYS = answering(
  Type.Object(
    {
      oidc: nullable(
        Type.Object({
          name: Type.String({ description: 'What people know the provider by.' }),
          url: Type.String({ format: 'uri', description: 'Where signing in by it begins.' }),
        }),
      ),
    },
    { title: 'SignInWays' },
  ),
  takingNothing({
    ...open,
    summary: 'How one may sign in beside a password; null where there is no such way',
    methods: ['get'],
    paths: ['/console/session/ways'],
  }),
);

export const BEGIN_OIDC = leading(
  'To the provider of OpenID Connect, or back to the console with the reason why not',
  takingFrom(
    'query',
    Type.Object({
      to: optional(
        text({
          maxLength: 8192,
          description: 'What is shown afterwards: a path below the console.',
        }),
      ),
    }),
    {
      ...open,
      summary: 'Leads a browser to the provider of OpenID Connect, to sign in there',
      methods: ['get'],
      paths: ['/console/session/oidc'],
    },
  ),
);

export const FINISH_OIDC = leading(
  'To the console, signed in, or with the reason why not',
  takingNothing({
    ...open,
    summary: 'Where the provider of OpenID Connect sends a browser back to, with its answer',
    methods: ['get'],
    paths: [`/console${LANDING}`],
  }),
);

/** They begin and end without a session. */
const WITHOUT_SESSION: readonly EndpointDoc[] = [
  SIGN_IN,
  LIST_SIGN_IN_WAYS,
  BEGIN_OIDC,
  FINISH_OIDC,
];

export const SESSION_ENDPOINTS: readonly EndpointDoc[] = [
  SIGN_IN,
  GET_SESSION,
  SIGN_OUT,
  LIST_SESSIONS,
  SIGN_OUT_EVERYWHERE,
  CHANGE_OWN_PASSWORD,
  LIST_SIGN_IN_WAYS,
  BEGIN_OIDC,
  FINISH_OIDC,
];

export const SESSION_SECURITY: DescribedSecurity = {
  name: 'consoleSession',
  words: 'Takes the cookie of a session, of any role.',
  scheme: {
    type: 'apiKey',
    in: 'cookie',
    name: SECURE_COOKIE,
    description: `A session of the console. Requests that are no GET also show ${CSRF_HEADER}.`,
  },
};

export const DESCRIBED_SESSION_ENDPOINTS: readonly DescribedEndpoint[] = SESSION_ENDPOINTS.map(
  (doc) => {
    const { scope, ...described } = doc;
    return WITHOUT_SESSION.includes(doc) ? { ...described, scope } : described;
  },
);
