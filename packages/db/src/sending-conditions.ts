import type { Environment } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { PausesTable, RouteName } from './schema.ts';

/** What decides, when something is claimed, whether its app can send it. */
export interface SendingConditions {
  /** Null where the app's credential was removed since. */
  readonly credential: {
    readonly version: number;
    readonly route: RouteName;
    readonly environment: Environment | null;
  } | null;
  /** Active pauses of the app at this provider, of any environment and version. */
  readonly pauses: readonly ActivePause[] | null;
}

export interface ActivePause {
  readonly id: number;
  readonly environment: Environment | '';
  readonly credentialVersion: number;
  readonly scope: PausesTable['scope'];
  readonly reason: string;
  readonly probeDeliveryId: string | null;
}

/** The two of them as columns of a statement, for the app and the provider of a row. */
export function selectSendingConditions(
  appRef: RawBuilder<unknown>,
  provider: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
      (SELECT json_build_object('version', k.version, 'route', k.route, 'environment', k.environment)
      FROM credentials k WHERE k.app_ref = ${appRef} AND k.provider = ${provider}) AS credential,
      (SELECT json_agg(json_build_object(
        'id', p.id, 'environment', p.environment, 'credentialVersion', p.credential_version, 'scope', p.scope,
        'reason', p.reason, 'probeDeliveryId', p.probe_delivery_id))
      FROM pauses p WHERE p.app_ref = ${appRef} AND p.provider = ${provider} AND p.lifted_at IS NULL) AS pauses`;
}
