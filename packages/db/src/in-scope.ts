import { sql } from 'kysely';

import type { CredentialScope } from './schema.ts';

/** The rows of a scope, in any table that names scopes. */
export function inScope(scope: CredentialScope) {
  return sql<boolean>`app_ref = ${scope.appRef} AND provider = ${scope.provider}
    AND environment = ${scope.environment} AND credential_version = ${scope.credentialVersion}`;
}
