import type { Generated } from 'kysely';

export interface DispatcherTables {
  dispatchers: DispatchersTable;
}

interface DispatchersTable {
  id: string;
  host: string;
  version: string | null;
  startedAt: Generated<Date>;
  seenAt: Generated<Date>;
}
