import type { Role, Scope } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

export interface AccessTables {
  apiKeys: ApiKeysTable;
  auditLog: AuditLogTable;
  consoleUsers: ConsoleUsersTable;
  consoleSessions: ConsoleSessionsTable;
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

interface ConsoleUsersTable {
  id: Generated<number>;
  name: string;
  /** Null where a provider of OpenID Connect knows the user. */
  passwordHash: string | null;
  oidcIssuer: string | null;
  oidcSubject: string | null;
  role: Role;
  appRef: number | null;
  generation: Generated<number>;
  disabledAt: Date | null;
  lastSignInAt: Date | null;
  createdAt: Generated<Date>;
}

interface ConsoleSessionsTable {
  id: Generated<number>;
  idHash: Buffer;
  userId: number;
  generation: number;
  address: string;
  userAgent: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}
