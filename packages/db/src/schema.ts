import type { AccessTables } from './schema/access.ts';
import type { AppTables } from './schema/apps.ts';
import type { CallbackTables } from './schema/callbacks.ts';
import type { CampaignRunTables } from './schema/campaign-runs.ts';
import type { CampaignTables } from './schema/campaigns.ts';
import type { CredentialTables } from './schema/credentials.ts';
import type { DeveloperKeyTables } from './schema/developer-keys.ts';
import type { DeviceTables } from './schema/devices.ts';
import type { GuardTables } from './schema/guard.ts';
import type { ImportTables } from './schema/imports.ts';
import type { InboxTables } from './schema/inbox.ts';
import type { InstallationTables } from './schema/installation.ts';
import type { LivePersonTables } from './schema/liveperson.ts';
import type { MessageTables } from './schema/messages.ts';
import type { RetentionTables } from './schema/retention.ts';

/** The tables as TypeScript sees them, a file a subject; the migrations say what each column is for. */
export interface Schema
  extends
    InstallationTables,
    AppTables,
    CredentialTables,
    DeviceTables,
    MessageTables,
    GuardTables,
    CampaignTables,
    CampaignRunTables,
    InboxTables,
    DeveloperKeyTables,
    LivePersonTables,
    CallbackTables,
    RetentionTables,
    ImportTables,
    AccessTables {}

export * from './schema/campaigns.ts';
export * from './schema/credentials.ts';
export * from './schema/devices.ts';
export * from './schema/guard.ts';
export * from './schema/inbox.ts';
export * from './schema/installation.ts';
export * from './schema/messages.ts';
