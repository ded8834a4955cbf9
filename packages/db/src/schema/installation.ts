import type { Generated } from 'kysely';

export interface InstallationTables {
  installation: InstallationTable;
}

export type ProvidersMode = 'live' | 'sandbox';

interface InstallationTable {
  onlyRow: Generated<boolean>;
  mode: ProvidersMode;
  createdAt: Generated<Date>;
}
