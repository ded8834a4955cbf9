import { MAX_PASSWORD_LENGTH, NAME_RULE, PASSWORD_RULE, ROLES } from '@heliograph/core';
import { SIGN_IN_WAYS } from '@heliograph/db';
import { Type } from '@sinclair/typebox';

import { answering, taking, takingFrom } from './envelope.ts';
import { AppId, nullable, oneOf, optional, text, WireAppId } from './fields.ts';

const tag = 'Console';

const Instant = Type.String({ format: 'date-time' });
const Role = oneOf(
  ROLES,
  'viewer looks, editor makes campaigns, sender sends, admin does everything.',
);
const Name = text({ minLength: 1, maxLength: 64, description: `In any case: ${NAME_RULE}.` });
/** An emoji is two of JavaScript's characters. */
const Password = text({
  minLength: 1,
  maxLength: 2 * MAX_PASSWORD_LENGTH,
  description: `Generated, and answered once, unless given; ${PASSWORD_RULE}.`,
});

const Shown = Type.Object({
  name: Type.String(),
  password: nullable(
    Type.String({ description: 'Where it was generated: shown here and never again.' }),
  ),
});

function doc(summary: string, verb: string) {
  return {
    tag,
    scope: ['admin'] as const,
    summary,
    methods: ['post'] as const,
    paths: [`/admin/user/${verb}`],
  };
}

export const CREATE_CONSOLE_USER = answering(
  Shown,
  taking(
    Type.Object(
      { name: Name, role: Role, appId: optional(AppId), password: optional(Password) },
      { title: 'CreateConsoleUser' },
    ),
    doc('Makes a user of the console, for one application or for all', 'create'),
  ),
);

const Listed = Type.Object(
  {
    name: Type.String(),
    role: Role,
    appId: nullable(WireAppId),
    disabled: Type.Boolean(),
    signInWay: oneOf(
      SIGN_IN_WAYS,
      'By a password, or by OpenID Connect, where the provider says the role.',
    ),
    timestampCreated: Instant,
    timestampLastSignIn: nullable(Instant),
  },
  { title: 'ConsoleUser' },
);

export const LIST_CONSOLE_USERS = answering(
  Type.Object({ userList: Type.Array(Listed) }),
  takingFrom('query', Type.Object({ appId: optional(AppId) }), {
    ...doc('Users of the console by their names, of all applications or of one', 'list'),
    methods: ['get'],
  }),
);

export const SET_CONSOLE_USER_ROLE = taking(
  Type.Object({ name: Name, role: Role }, { title: 'SetConsoleUserRole' }),
  doc('Gives a user of the console another role; the sessions of the user end', 'role'),
);

export const SET_CONSOLE_USER_PASSWORD = answering(
  Shown,
  taking(
    Type.Object({ name: Name, password: optional(Password) }, { title: 'SetConsoleUserPassword' }),
    doc('Gives a user of the console another password; the sessions of the user end', 'password'),
  ),
);

const OfUser = Type.Object({ name: Name }, { title: 'OfConsoleUser' });

export const DISABLE_CONSOLE_USER = taking(
  OfUser,
  doc('Lets a user of the console sign in no more; the sessions of the user end', 'disable'),
);

export const ENABLE_CONSOLE_USER = taking(
  OfUser,
  doc('Lets a user of the console that was disabled sign in again', 'enable'),
);

export const REMOVE_CONSOLE_USER = taking(
  OfUser,
  doc(
    'Removes a user of the console with all sessions; the audit log still names the user',
    'remove',
  ),
);
