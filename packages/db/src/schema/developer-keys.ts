import type { Generated } from 'kysely';

export interface DeveloperKeyTables {
  developerKeys: DeveloperKeysTable;
  developerSecrets: DeveloperSecretsTable;
  developerNonces: DeveloperNoncesTable;
  m800Requests: M800RequestsTable;
}

interface DeveloperKeysTable {
  id: Generated<number>;
  developerKey: string;
  appRef: number;
  name: string;
  carriers: string[];
  disabledAt: Date | null;
  createdAt: Generated<Date>;
}

interface DeveloperSecretsTable {
  id: string;
  developerKeyRef: number;
  sealedSecret: Buffer;
  createdAt: Generated<Date>;
  validUntil: Date | null;
}

interface DeveloperNoncesTable {
  developerKeyRef: number;
  nonce: string;
  requestId: string | null;
  createdAt: Generated<Date>;
}

interface M800RequestsTable {
  id: string;
  developerKeyRef: number;
  userId: string;
  carrier: string;
  pushed: boolean;
  createdAt: Generated<Date>;
}
