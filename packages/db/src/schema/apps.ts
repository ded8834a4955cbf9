import type { Generated } from 'kysely';

export interface AppTables {
  apps: AppsTable;
}

interface AppsTable {
  id: Generated<number>;
  appId: string;
  appName: string | null;
  createdAt: Generated<Date>;
}
