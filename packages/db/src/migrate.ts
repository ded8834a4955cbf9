import { Migrator, sql } from 'kysely';

import type { Db } from './database.ts';
import { appsAndDevices } from './migrations/0001-apps-and-devices.ts';
import { messageLedger } from './migrations/0002-message-ledger.ts';
import { pausesAndGuard } from './migrations/0003-pauses-and-guard.ts';
import { campaigns } from './migrations/0004-campaigns.ts';
import { campaignRuns } from './migrations/0005-campaign-runs.ts';
import { campaignSpeed } from './migrations/0006-campaign-speed.ts';
import { breakers } from './migrations/0007-breakers.ts';
import { developerKeys } from './migrations/0008-developer-keys.ts';
import { inbox } from './migrations/0009-inbox.ts';
import { proxyRoutes } from './migrations/0010-proxy-routes.ts';
import { livePerson } from './migrations/0011-liveperson.ts';
import { callbacks } from './migrations/0012-callbacks.ts';
import { retention } from './migrations/0014-retention.ts';
import { imports } from './migrations/0015-imports.ts';
import { certificateWarnings } from './migrations/0017-certificate-warnings.ts';
import { access } from './migrations/0018-access.ts';
import { credentialChecks } from './migrations/0019-credential-checks.ts';
import { fleetMeter } from './migrations/0021-fleet-meter.ts';
import { traceParents } from './migrations/0022-trace-parents.ts';
import { consoleUsers } from './migrations/0023-console-users.ts';
import { failures } from './migrations/0024-failures.ts';
import { dispatchers } from './migrations/0025-dispatchers.ts';
import { runTimeline } from './migrations/0026-run-timeline.ts';
import { callbackCalls } from './migrations/0027-callback-calls.ts';
import { openIdUsers } from './migrations/0028-open-id-users.ts';
import { createPartitions } from './partitions.ts';

/** Every migration in order. Plain SQL, never edited once shipped. */
const MIGRATIONS: Readonly<Record<string, string>> = {
  '0001-apps-and-devices': appsAndDevices,
  '0002-message-ledger': messageLedger,
  '0003-pauses-and-guard': pausesAndGuard,
  '0004-campaigns': campaigns,
  '0005-campaign-runs': campaignRuns,
  '0006-campaign-speed': campaignSpeed,
  '0007-breakers': breakers,
  '0008-developer-keys': developerKeys,
  '0009-inbox': inbox,
  '0010-proxy-routes': proxyRoutes,
  '0011-liveperson': livePerson,
  '0012-callbacks': callbacks,
  '0014-retention': retention,
  '0015-imports': imports,
  '0017-certificate-warnings': certificateWarnings,
  '0018-access': access,
  '0019-credential-checks': credentialChecks,
  '0021-fleet-meter': fleetMeter,
  '0022-trace-parents': traceParents,
  '0023-console-users': consoleUsers,
  '0024-failures': failures,
  '0025-dispatchers': dispatchers,
  '0026-run-timeline': runTimeline,
  '0027-callback-calls': callbackCalls,
  '0028-open-id-users': openIdUsers,
};

/** Brings the schema up to date and makes the partitions of the next days. Safe to run on several machines at once. */
export async function migrateToLatest(db: Db, now: Date = new Date()): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: {
      async getMigrations() {
        return Object.fromEntries(
          Object.entries(MIGRATIONS).map(([name, statements]) => [
            name,
            { up: async (tx) => void (await sql.raw(statements).execute(tx)) },
          ]),
        );
      },
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await createPartitions(db, now);
}
