import type { Environment, Provider } from '@heliograph/core';
import type { Generated } from 'kysely';

export interface DeviceTables {
  activations: ActivationsTable;
  devices: DevicesTable;
  deviceRefusals: DeviceRefusalsTable;
  tokenReleases: TokenReleasesTable;
}

export const ACTIVATION_STATUSES = [
  'CREATED',
  'PENDING_COMMIT',
  'ACTIVE',
  'BLOCKED',
  'REMOVED',
] as const;
export type ActivationStatus = (typeof ACTIVATION_STATUSES)[number];

interface ActivationsTable {
  activationId: string;
  userId: string | null;
  status: ActivationStatus;
  imported: Generated<boolean>;
  createdAt: Generated<Date>;
  updatedAt: Generated<Date>;
}

interface DevicesTable {
  id: Generated<number>;
  appRef: number;
  activationId: string;
  userId: string | null;
  provider: Provider;
  environment: Environment | null;
  pushToken: string;
  pushTokenHash: Buffer;
  activationActive: boolean;
  tokenDeactivatedAt: Date | null;
  tokenDeactivatedReason: string | null;
  lastRegisteredAt: Date;
  imported: Generated<boolean>;
  createdAt: Generated<Date>;
}

interface DeviceRefusalsTable {
  deviceId: number;
  pushTokenHash: Buffer;
  refusedAt: Date[];
}

interface TokenReleasesTable {
  id: Generated<number>;
  appRef: number;
  provider: Provider;
  pushTokenHash: Buffer;
  deviceId: number;
  releasedAt: Generated<Date>;
}
