import type {
  CallbackType,
  DeliveryState,
  Environment,
  MessageBody,
  PauseScope,
  Priority,
  Provider,
  Role,
  RunReason,
  RunState,
  Scope,
} from '@heliograph/core';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/** The tables as TypeScript sees them; the migrations say what each column is for. */
export interface Schema {
  installation: InstallationTable;
  apps: AppsTable;
  credentials: CredentialsTable;
  standbyCredentials: StandbyCredentialsTable;
  deviceRefusals: DeviceRefusalsTable;
  activations: ActivationsTable;
  devices: DevicesTable;
  messages: MessagesTable;
  deliveries: DeliveriesTable;
  idempotencyKeys: IdempotencyKeysTable;
  pauses: PausesTable;
  tokenFaults: TokenFaultsTable;
  answerCounts: AnswerCountsTable;
  guardDecisions: GuardDecisionsTable;
  campaigns: CampaignsTable;
  campaignUsers: CampaignUsersTable;
  campaignRuns: CampaignRunsTable;
  campaignChunks: CampaignChunksTable;
  campaignExceptions: CampaignExceptionsTable;
  campaignRunCounts: CampaignRunCountsTable;
  campaignRunExclusions: CampaignRunExclusionsTable;
  campaignMovedTokens: CampaignMovedTokensTable;
  tokenReleases: TokenReleasesTable;
  developerKeys: DeveloperKeysTable;
  developerSecrets: DeveloperSecretsTable;
  developerNonces: DeveloperNoncesTable;
  m800Requests: M800RequestsTable;
  inboxUsers: InboxUsersTable;
  inboxMessages: InboxMessagesTable;
  livepersonSenders: LivePersonSendersTable;
  livepersonCertificates: LivePersonCertificatesTable;
  livepersonPushes: LivePersonPushesTable;
  callbackEndpoints: CallbackEndpointsTable;
  callbackSecrets: CallbackSecretsTable;
  callbackEvents: CallbackEventsTable;
  staleChecks: StaleChecksTable;
  retentionRounds: RetentionRoundsTable;
  userErasures: UserErasuresTable;
  imports: ImportsTable;
  certificateWarnings: CertificateWarningsTable;
  apiKeys: ApiKeysTable;
  auditLog: AuditLogTable;
  consoleUsers: ConsoleUsersTable;
  consoleSessions: ConsoleSessionsTable;
}

export type ProvidersMode = 'live' | 'sandbox';

interface InstallationTable {
  onlyRow: Generated<boolean>;
  mode: ProvidersMode;
  createdAt: Generated<Date>;
}

interface AppsTable {
  id: Generated<number>;
  appId: string;
  appName: string | null;
  createdAt: Generated<Date>;
}

interface PacedSettings {
  /** What an operator allows, over all dispatchers. */
  readonly ratePerSecond?: number;
}

export type ApnsSettings = ApnsKeySettings | ApnsCertificateSettings;

export interface ApnsKeySettings extends PacedSettings {
  readonly bundle: string;
  readonly keyId: string;
  readonly teamId: string;
}

export interface ApnsCertificateSettings extends PacedSettings {
  readonly bundle: string;
  /** What the certificate says of itself. */
  readonly certificate: {
    readonly commonName: string;
    readonly topics: readonly string[];
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    /** ISO 8601. */
    readonly validTo: string;
  };
}

export interface FcmSettings extends PacedSettings {
  readonly projectId: string;
}

export type DirectSettings = ApnsSettings | FcmSettings;

/** The customer's own server, which pushes on. */
export interface ProxySettings extends PacedSettings {
  readonly url: string;
  /** Which of the documented bodies it takes. */
  readonly schema: '2017' | 'current';
  /** Where a message does not say it itself. */
  readonly brandId?: string;
  readonly backendService?: string;
  /** The statuses by which it says that a push token is dead. */
  readonly goneOn: readonly number[];
  readonly retry: 'documented' | 'until_expiry';
  /** PEM, trusted beside the public authorities. */
  readonly caPem?: string;
  readonly basicUsername?: string;
  /** What the client certificate says of itself; absent where there is none. */
  readonly certificate?: {
    readonly commonName: string;
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    /** ISO 8601. */
    readonly validTo: string;
  };
}

/** To the provider itself, or to a customer's proxy. */
export type RouteName = 'direct' | 'proxy';

interface CredentialColumns {
  appRef: number;
  provider: Provider;
  environment: Environment | null;
  sealedKey: Buffer;
  updatedAt: Generated<Date>;
}

interface CredentialsTable extends CredentialColumns {
  version: Generated<number>;
  route: Generated<RouteName>;
  settings: ColumnType<DirectSettings | ProxySettings, string, string>;
}

interface StandbyCredentialsTable extends CredentialColumns {
  settings: ColumnType<DirectSettings, string, string>;
}

interface DeviceRefusalsTable {
  deviceId: number;
  pushTokenHash: Buffer;
  refusedAt: Date[];
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

interface MessagesTable {
  id: string;
  appRef: number;
  /** Null where a message to a push token found nobody's device. */
  userId: string | null;
  pushTokenHash: Buffer | null;
  activationId: string | null;
  silent: boolean;
  personal: boolean;
  priority: Priority;
  body: ColumnType<unknown, string, never>;
  awaited: boolean;
  expiresAt: Date;
  createdAt: Generated<Date>;
  developerKeyRef: number | null;
}

interface DeliveriesTable {
  id: string;
  messageId: string;
  appRef: number;
  deviceId: number;
  provider: Provider;
  state: DeliveryState;
  reason: string | null;
  attempts: Generated<number>;
  ambiguousAttempts: Generated<number>;
  nextAttemptAt: Date | null;
  pauseId: number | null;
  leaseUntil: Date | null;
  leaseEpoch: Generated<number>;
  providerMessageId: string | null;
  finishedAt: Date | null;
  history: ColumnType<readonly AttemptRecord[] | null, string | null, string | null>;
}

/** One attempt as the ledger keeps it. */
export interface AttemptRecord {
  /** ISO instant at which the provider was called. */
  readonly at: string;
  readonly outcome: string;
  readonly reason?: string;
  /** The provider's HTTP status, where there was an answer. */
  readonly status?: number;
  readonly endpoint: string;
  readonly environment: string;
  readonly credentialVersion: number;
  readonly latencyMs: number;
  readonly nextAttemptAt?: string;
}

interface IdempotencyKeysTable {
  caller: string;
  operation: string;
  key: string;
  bodyHash: Buffer;
  messageIds: string[];
  answer: ColumnType<unknown, string | null, string | null>;
  createdAt: Generated<Date>;
}

/** What pauses and faults are counted by. `environment` is empty for FCM. */
export interface CredentialScope {
  readonly appRef: number;
  readonly provider: Provider;
  readonly environment: Environment | '';
  readonly credentialVersion: number;
}

interface ScopeColumns {
  appRef: number;
  provider: Provider;
  environment: Environment | '';
  credentialVersion: number;
}

export interface PausesTable extends ScopeColumns {
  id: Generated<number>;
  scope: PauseScope | 'guard';
  reason: string;
  since: Generated<Date>;
  probeAt: Date | null;
  probeInterval: Generated<unknown>;
  probeLimit: Generated<unknown>;
  probeDeliveryId: string | null;
  liftedAt: Date | null;
}

export type FaultState = 'noted' | 'held' | 'applied' | 'moot' | 'discarded';

interface TokenFaultsTable extends ScopeColumns {
  id: Generated<number>;
  deviceId: number;
  pushTokenHash: Buffer;
  reason: string;
  kind: 'dead' | 'wrong_place';
  invalidSince: Date;
  notedAt: Generated<Date>;
  state: Generated<FaultState>;
  settledAt: Date | null;
}

interface AnswerCountsTable extends ScopeColumns {
  id: Generated<number>;
  answers: number;
  wrongPlace: number;
  dead: number;
  trouble: Generated<number>;
  at: Generated<Date>;
}

interface GuardDecisionsTable extends ScopeColumns {
  id: Generated<number>;
  decision: 'apply' | 'discard';
  at: Generated<Date>;
}

/** What a campaign says, and until when it is worth sending. */
export interface CampaignMessage extends MessageBody {
  /** ISO instant. */
  readonly validUntil?: string;
}

interface CampaignsTable {
  id: Generated<number>;
  appRef: number;
  message: ColumnType<CampaignMessage, string, never>;
  sent: Generated<boolean>;
  createdAt: Generated<Date>;
  sentAt: Generated<Date | null>;
  completedAt: Generated<Date | null>;
}

interface CampaignUsersTable {
  campaignId: number;
  userId: string;
  position: GeneratedAlways<number>;
}

interface CampaignRunsTable {
  id: string;
  campaignId: number;
  appRef: number;
  message: ColumnType<CampaignMessage, string, never>;
  validUntil: Date | null;
  state: RunState;
  reason: RunReason | null;
  dryRun: boolean;
  ratePerSecond: number | null;
  canaryPercent: number | null;
  maxFailurePercent: number | null;
  createdAt: Generated<Date>;
  startAt: Date;
  startedAt: Date | null;
  materialisedAt: Date | null;
  approvedAt: Date | null;
  finishedAt: Date | null;
  devicesPurgedAt: Generated<Date | null>;
  judgedSent: Generated<number>;
  judgedFailed: Generated<number>;
  lastDeviceId: number | null;
  lastUserPosition: number | null;
  fewUsers: boolean | null;
  deviceCursor: Generated<number>;
  nextChunk: Generated<number>;
  users: Generated<number>;
  usersWithoutDevice: Generated<number>;
  usersCountedAt: Date | null;
  measuredRate: Generated<number>;
  measuredFinal: Generated<number>;
  measuredAt: Date | null;
}

interface CampaignChunksTable {
  runId: string;
  ordinal: number;
  provider: Provider;
  firstDeviceId: number;
  lastDeviceId: number;
  /** As texts: the driver leaves the numbers of arrays alone. */
  deviceIds: string[];
  tokenHashes: Buffer;
  userHashes: string[];
  outcomes: Buffer;
  canary: Generated<boolean>;
  dueAt: Date | null;
  leased: Generated<boolean>;
  pauseId: number | null;
  leaseEpoch: Generated<number>;
  checkpoint: Generated<number>;
  expiresAt: Date | null;
}

interface CampaignExceptionsTable {
  runId: string;
  ordinal: number;
  deviceId: number;
  userId: string | null;
  provider: Provider;
  state: DeliveryState;
  reason: string | null;
  attempts: number;
  ambiguousAttempts: number;
  nextAttemptAt: Date | null;
  providerMessageId: string | null;
  finishedAt: Date | null;
  history: ColumnType<readonly AttemptRecord[] | null, string | null, string | null>;
}

interface CampaignRunCountsTable {
  runId: string;
  provider: Provider;
  code: number;
  shard: number;
  count: number;
}

interface CampaignRunExclusionsTable {
  runId: string;
  provider: Provider;
  reason: string;
  count: number;
}

interface CampaignMovedTokensTable {
  runId: string;
  provider: Provider;
  pushTokenHash: Buffer;
  deviceId: number;
}

interface TokenReleasesTable {
  id: Generated<number>;
  appRef: number;
  provider: Provider;
  pushTokenHash: Buffer;
  deviceId: number;
  releasedAt: Generated<Date>;
}

interface InboxUsersTable {
  userId: string;
  lastSequence: number;
}

export const INBOX_TYPES = ['text', 'html'] as const;
export type InboxType = (typeof INBOX_TYPES)[number];

interface InboxMessagesTable {
  id: string;
  userId: string;
  sequence: number;
  /** As texts: the driver leaves the numbers of arrays alone. */
  appRefs: string[];
  type: InboxType;
  subject: string;
  summary: string;
  body: string;
  sender: string | null;
  createdAt: Date;
  readAt: Date | null;
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

interface CallbackEndpointsTable {
  id: Generated<number>;
  appRef: number;
  developerKeyRef: Generated<number>;
  url: string;
  target: string;
  callbackKey: string | null;
  types: string[] | null;
  createdAt: Generated<Date>;
  positionXid: Generated<string>;
  positionId: Generated<string>;
  nextAttemptAt: Generated<Date>;
  leaseUntil: Date | null;
  leaseEpoch: Generated<number>;
  failures: Generated<number>;
  failingSince: Date | null;
  triedFrom: Generated<Date>;
  passedOver: Generated<number>;
  lastAttemptAt: Date | null;
  lastSuccessAt: Date | null;
  lastResult: string | null;
  lastLatencyMs: number | null;
  suspendedAt: Date | null;
  suspendedBecause: 'gone' | 'failing' | null;
}

interface CallbackSecretsTable {
  id: string;
  endpointRef: number;
  sealedSecret: Buffer;
  usedFrom: Date;
  createdAt: Generated<Date>;
}

interface CallbackEventsTable {
  id: Generated<string>;
  appRef: number;
  developerKeyRef: number;
  xid: Generated<string>;
  type: CallbackType;
  data: ColumnType<Readonly<Record<string, unknown>>, string, never>;
  createdAt: Generated<Date>;
}

interface StaleChecksTable {
  appRef: number;
  provider: Provider;
  checkedAt: Generated<Date>;
  devices: number;
  stale: number;
  staleBefore: Date;
  heldSince: Date | null;
  heldBecause: 'too_many' | 'no_registrations' | null;
  approvedBefore: Date | null;
  settledAt: Date | null;
}

interface RetentionRoundsTable {
  onlyRow: Generated<boolean>;
  beganAt: Generated<Date>;
}

interface UserErasuresTable {
  id: string;
  appRef: number | null;
  userId: string | null;
  deviceIds: Generated<string[]>;
  requestedAt: Generated<Date>;
  erasedAt: Date | null;
  finishedAt: Date | null;
  devices: Generated<number>;
  messages: Generated<number>;
  skipped: Generated<number>;
  inboxMessages: Generated<number>;
  campaigns: Generated<number>;
  campaignDeliveries: Generated<number>;
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

interface ConsoleUsersTable {
  id: Generated<number>;
  name: string;
  passwordHash: string;
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

interface CertificateWarningsTable {
  fingerprint: Buffer;
  validTo: Date;
  thresholdDays: number;
  toldAt: Date;
}
