import type { Scope } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

export interface AccessTables {
  apiKeys: ApiKeysTable;
  auditLog: AuditLogTable;
}

interface ApiKeysTable {
  id: string;
  name: string;
  secretHash: Buffer;
  scopes: Scope[];
  appRef: number | null;
  ratePerSecond: number | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Generated<Date>;
}

interface AuditLogTable {
  id: Generated<string>;
  keyId: string | null;
  actor: string;
  requestId: string | null;
  action: string;
  appRef: number | null;
  objects: ColumnType<Readonly<Record<string, string | number>>, string, never>;
  outcome: string | null;
  createdAt: Generated<Date>;
  finishedAt: Date | null;
}
