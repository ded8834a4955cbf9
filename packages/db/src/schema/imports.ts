import type { ColumnType, Generated } from 'kysely';

export interface ImportTables {
  imports: ImportsTable;
}

interface ImportsTable {
  id: Generated<number>;
  name: string;
  source: string;
  run: Generated<number>;
  step: string;
  cursor: Generated<string | null>;
  report: ColumnType<unknown, string, string>;
  startedAt: Generated<Date>;
  finishedAt: Generated<Date | null>;
}
