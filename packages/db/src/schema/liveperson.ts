import type { Generated } from 'kysely';

export interface LivePersonTables {
  livepersonSenders: LivePersonSendersTable;
  livepersonCertificates: LivePersonCertificatesTable;
  livepersonPushes: LivePersonPushesTable;
}

interface LivePersonSendersTable {
  id: Generated<number>;
  appRef: number;
  brandId: string;
  name: string | null;
  basicUsername: string | null;
  sealedBasic: Buffer | null;
  createdAt: Generated<Date>;
}

interface LivePersonCertificatesTable {
  fingerprint: Buffer;
  senderId: number;
  commonName: string;
  validTo: Date;
}

interface LivePersonPushesTable {
  key: Buffer;
  messageId: string;
  until: Date;
}
