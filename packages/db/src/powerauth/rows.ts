/*
 * Rows of the original as they are read: whatever is there, checked by nobody. Instants are ISO 8601 in UTC with microseconds, and null
 * where there is none.
 */

export interface PowerAuthApp {
  readonly sourceId: number;
  readonly appId: string;
  /** Whether it has credentials of Huawei's service. */
  readonly huawei: boolean;
  readonly apnsKey: Buffer | null;
  readonly apnsTeamId: string | null;
  readonly apnsKeyId: string | null;
  readonly apnsBundle: string | null;
  readonly apnsEnvironment: string | null;
  readonly fcmKey: Buffer | null;
  readonly fcmProjectId: string | null;
}

export interface PowerAuthDevice {
  readonly sourceId: number;
  /** Null where the row refers to no app. */
  readonly appId: string | null;
  readonly activationId: string | null;
  readonly userId: string | null;
  readonly platform: string | null;
  readonly pushToken: string | null;
  readonly environment: string | null;
  readonly active: boolean | null;
  readonly registeredAt: string | null;
}

export interface PowerAuthCampaign {
  readonly sourceId: number;
  readonly appId: string | null;
  /** JSON. */
  readonly message: string | null;
  readonly sent: boolean | null;
  readonly createdAt: string | null;
  readonly sentAt: string | null;
  readonly completedAt: string | null;
}

export interface PowerAuthCampaignUser {
  readonly sourceId: number;
  readonly campaignId: number | null;
  readonly userId: string | null;
}

export interface PowerAuthInboxMessage {
  readonly sourceId: number;
  readonly inboxId: string | null;
  readonly userId: string;
  readonly type: string | null;
  readonly subject: string | null;
  readonly summary: string | null;
  readonly body: string | null;
  readonly read: boolean;
  readonly createdAt: string | null;
  readonly readAt: string | null;
  /** Where it is in the order of reading. */
  readonly position: string;
  readonly appIds: readonly string[];
}
