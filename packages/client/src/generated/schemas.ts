// Made from docs/api/openapi.json by `npm run generate -w @heliograph/client`: change that, not this.

export interface AddAllUsers {
  /** The `next` of the answer before. */
  readonly after?: number | undefined;
}

export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly (
    'send' | 'devices' | 'campaigns' | 'campaigns:send' | 'read' | 'admin'
  )[];
  readonly appId: number | string | null;
  readonly ratePerSecond: number | null;
  readonly state: 'active' | 'expired' | 'revoked';
  readonly timestampCreated: string;
  readonly timestampExpires: string | null;
  readonly timestampRevoked: string | null;
  /** True to a minute. */
  readonly timestampLastUsed: string | null;
}

export interface ApiKeysListAnswer {
  readonly keyList: readonly ApiKey[];
}

export interface ApiKeysListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface Application {
  readonly id: number;
  readonly appId: number | string;
  readonly appName: string | null;
  readonly ios: boolean;
  readonly android: boolean;
  readonly apns: boolean;
  readonly fcm: boolean;
  readonly hms: boolean;
}

export interface ApplicationDetail {
  readonly application: Application;
  readonly iosBundle: string | null;
  readonly iosKeyId: string | null;
  readonly iosTeamId: string | null;
  readonly iosEnvironment: string | null;
  readonly iosRatePerSecond: number | null;
  readonly androidProjectId: string | null;
  readonly androidRatePerSecond: number | null;
  readonly apnsBundle: string | null;
  readonly apnsKeyId: string | null;
  readonly apnsTeamId: string | null;
  readonly apnsEnvironment: string | null;
  readonly apnsRatePerSecond: number | null;
  readonly apnsAuth: 'token' | 'certificate' | null;
  readonly apnsCertificate: {
    readonly commonName: string;
    readonly topics: readonly string[];
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    readonly validTo: string;
  } | null;
  readonly fcmProjectId: string | null;
  readonly fcmRatePerSecond: number | null;
  readonly apnsProxy: Proxy | null;
  readonly fcmProxy: Proxy | null;
  readonly hmsProjectId: null;
}

export interface AppsCreateAnswer {
  readonly id: number;
  readonly appId: number | string;
}

export interface AppsListAnswer {
  readonly applicationList: readonly Application[];
}

export interface AppsListUnconfiguredAnswer {
  readonly applicationList: readonly (
    | {
        readonly id: number;
        readonly appId: null;
        readonly appName: string | null;
        readonly ios: null;
        readonly android: null;
      }
    | {
        readonly appId: string;
        readonly appName: string | null;
      }
  )[];
}

export interface AppsRemoveApnsQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
}

export interface AppsRemoveFcmQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
}

export interface AppsRemoveProxyQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly platform: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
}

export interface AppsSaveApnsCertificateQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface AppsSaveApnsQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface AppsSaveFcmQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface AppsSaveProxyQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface AppsUpdateAndroidQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface AppsUpdateIosQuery {
  /** Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved. */
  readonly verify?: boolean | undefined;
}

export interface Attempt {
  readonly at: string;
  readonly outcome: string;
  readonly reason?: string | undefined;
  readonly status?: number | undefined;
  readonly endpoint: string;
  readonly environment: string;
  readonly credentialVersion: number;
  readonly latencyMs: number;
  readonly nextAttemptAt?: string | undefined;
}

export interface AuditEntry {
  readonly id: string;
  /** Of the API key; null where there was none. */
  readonly keyId: string | null;
  /** The name of the API key, or what stood in its place. */
  readonly actor: string;
  /** The X-Correlation-ID of the request. */
  readonly requestId: string | null;
  readonly action: string;
  readonly appId: number | string | null;
  /** What it was about: ids and the like. */
  readonly objects: Readonly<Record<string, unknown>>;
  /** ok, or why it was refused; null while it is under way, and where its process died. */
  readonly outcome: string | null;
  readonly timestampCreated: string;
  readonly timestampFinished: string | null;
}

export interface AuditListAnswer {
  readonly entries: readonly AuditEntry[];
  /** Leads to older ones as `before`; null where there are none. */
  readonly cursor: string | null;
}

export interface AuditListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** At most 36 characters. */
  readonly before?: string | undefined;
  /** 1 to 1000. Default: 100. */
  readonly limit?: number | undefined;
}

export interface Callback {
  readonly id: number;
  readonly url: string;
  /** What signatures name. */
  readonly key: string;
  readonly developerKey: string | null;
  readonly types: readonly string[] | null;
  readonly timestampCreated: string;
  readonly state: 'active' | 'failing' | 'suspended';
  /** In a row. */
  readonly failures: number;
  readonly failingSince: string | null;
  readonly nextAttempt: string | null;
  readonly lastAttempt: string | null;
  readonly lastSuccess: string | null;
  /** The status of the last answer, or what went wrong. */
  readonly lastResult: string | null;
  /** Events that were given up. */
  readonly passedOver: number;
  readonly suspendedBecause: 'gone' | 'failing' | null;
  /** Up to where it was told. */
  readonly cursor: string;
}

export interface CallbackCall {
  readonly callId: number;
  /** When it was made, or asked for while it waits. */
  readonly timestamp: string;
  readonly state: 'waiting' | 'taken' | 'refused';
  /** The status of the answer, or what went wrong. */
  readonly result: string | null;
  readonly latencyMs: number | null;
  /** How many it told. */
  readonly events: number;
  /** The call that it repeats. */
  readonly resendOf: number | null;
  /** A cursor that leads to its first event. */
  readonly after: string;
}

import type { CallbackEvent } from '../callback-event.ts';

export type { CallbackEvent };

export interface CallbacksCallsAnswer {
  readonly callbackId: number;
  readonly calls: readonly CallbackCall[];
  /** Leads to the next page as `after`. */
  readonly next: string | null;
}

export interface CallbacksCallsQuery {
  readonly callbackId: number;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to 100. Default: 20. */
  readonly size?: number | undefined;
}

export interface CallbacksCreateAnswer {
  readonly id: number;
  readonly url: string;
  /** What signatures name. */
  readonly key: string;
  /** Shown here and never again. */
  readonly secret: string | null;
}

export interface CallbacksEventsAnswer {
  readonly events: readonly CallbackEvent[];
  /** Leads to what comes next as `after`; null where nothing came yet. */
  readonly cursor: string | null;
}

export interface CallbacksEventsQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Of one developer key only: about the messages that it sent, and signed with it. At most 255 characters. */
  readonly developerKey?: string | undefined;
  /** A `cursor` of any answer or request. At most 64 characters. */
  readonly after?: string | undefined;
  /** 1 to 1000. Default: 100. */
  readonly limit?: number | undefined;
}

export interface CallbacksListAnswer {
  readonly appId: number | string;
  readonly callbackList: readonly Callback[];
}

export interface CallbacksListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
}

export interface CallbacksResendAnswer {
  readonly callId: number;
}

export interface CallbacksRotateAnswer {
  /** What signatures name. */
  readonly key: string;
  /** Shown here and never again. */
  readonly secret: string;
  readonly usedFrom: string;
}

export interface Campaign {
  readonly id: number;
  readonly appId: number | string;
  readonly sent: boolean;
  readonly message: PushMessageBody;
  readonly timestampCreated: string;
  readonly timestampSent: string | null;
  readonly timestampCompleted: string | null;
}

export interface CampaignsAddAllUsersAnswer {
  readonly added: number;
  /** There was no time for all of them: ask again with `next` as `after`. */
  readonly more: boolean;
  readonly next: number | null;
}

export interface CampaignsCreateAnswer {
  readonly id: number;
}

export interface CampaignsDeleteAnswer {
  /** False where there was none. */
  readonly deleted: boolean;
}

export interface CampaignsListQuery {
  /** Otherwise only those that are not sent yet. Default: false. */
  readonly all?: boolean | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** The oldest first unless given. */
  readonly order?: 'oldest' | 'latest' | undefined;
  /** So many; all unless given. 1 to 1000. */
  readonly size?: number | undefined;
  /** The id of the last one of the page before. */
  readonly after?: number | undefined;
  /** The id of the first one of the page behind. */
  readonly before?: number | undefined;
  /** With the latest run of each that is no dry run. Takes a `size`. Default: false. */
  readonly includeRun?: boolean | undefined;
}

export interface CampaignsListUsersAnswer {
  readonly campaignId: number;
  readonly users: readonly string[];
}

export interface CampaignsListUsersQuery {
  /** Pages are counted from behind this user: so one deep in a large campaign is as quick as the first. At most 255 characters. */
  readonly afterUserId?: string | undefined;
  /** Counted from 0; nonsense counts as 0. Default: 0. */
  readonly page?: number | undefined;
  /** What is above 2000 counts as that, nonsense as the default. Default: 20. */
  readonly size?: number | undefined;
}

export interface CampaignsPreviewAnswer {
  readonly previews: readonly PayloadPreview[];
}

export interface CertificatesListAnswer {
  readonly certificateList: readonly StoredCertificate[];
}

export interface CertificatesListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Counted from 0; nonsense counts as 0. Default: 0. */
  readonly page?: number | undefined;
  /** What is above 2000 counts as that, nonsense as the default. Default: 20. */
  readonly size?: number | undefined;
}

export interface ChangeOwnPassword {
  /** The present one. At most 1024 characters. */
  readonly password: string;
  /** The one from now on; a password has 12 to 256 characters. At most 512 characters. */
  readonly newPassword: string;
}

export interface ConsoleSession {
  readonly name: string;
  readonly role: 'viewer' | 'editor' | 'sender' | 'admin';
  readonly scopes: readonly (
    'send' | 'devices' | 'campaigns' | 'campaigns:send' | 'read' | 'admin'
  )[];
  readonly appId: number | string | null;
  /** By a password, which may be changed here, or by OpenID Connect. Null where access control is off. */
  readonly signInWay: 'password' | 'oidc' | null;
  /** Goes along as X-CSRF-Token with every request by the session that is no GET. Null where access control is off. */
  readonly csrfToken: string | null;
  readonly timestampCreated: string | null;
  /** When the session is over at the latest. Null where access control is off. */
  readonly timestampExpires: string | null;
  /** A session that is not used for so long is over. */
  readonly idleSeconds: number;
}

export interface ConsoleUser {
  readonly name: string;
  /** viewer looks, editor makes campaigns, sender sends, admin does everything. */
  readonly role: 'viewer' | 'editor' | 'sender' | 'admin';
  readonly appId: number | string | null;
  readonly disabled: boolean;
  /** By a password, or by OpenID Connect, where the provider says the role. */
  readonly signInWay: 'password' | 'oidc';
  readonly timestampCreated: string;
  readonly timestampLastSignIn: string | null;
}

export interface ConsoleUsersCreateAnswer {
  readonly name: string;
  /** Where it was generated: shown here and never again. */
  readonly password: string | null;
}

export interface ConsoleUsersListAnswer {
  readonly userList: readonly ConsoleUser[];
}

export interface ConsoleUsersListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface ConsoleUsersSetPasswordAnswer {
  readonly name: string;
  /** Where it was generated: shown here and never again. */
  readonly password: string | null;
}

export interface CreateApiKey {
  /** Who is to use it, and for what. At most 255 characters. */
  readonly name: string;
  /** At most 6. */
  readonly scopes: readonly (
    'send' | 'devices' | 'campaigns' | 'campaigns:send' | 'read' | 'admin'
  )[];
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Requests per second over all servers; 0: no limit. As the server is configured unless given. 0 to 1000000. */
  readonly ratePerSecond?: number | undefined;
  /** Not valid from this instant on. */
  readonly expiresAt?: string | number | undefined;
}

export interface CreateApplication {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** At most 255 characters. */
  readonly appName?: string | undefined;
}

export interface CreateCallback {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Of one developer key only: about the messages that it sent, and signed with it. At most 255 characters. */
  readonly developerKey?: string | undefined;
  /** https, at a public address. At most 2048 characters. */
  readonly url: string;
  /** Types of events, or the parts before their dots. All unless given. At most 15. */
  readonly types?:
    | readonly (
        | 'delivery'
        | 'delivery.sent'
        | 'delivery.failed'
        | 'delivery.expired'
        | 'delivery.skipped'
        | 'run'
        | 'run.started'
        | 'run.paused'
        | 'run.resumed'
        | 'run.halted'
        | 'run.completed'
        | 'run.cancelled'
        | 'run.settled'
        | 'device'
        | 'device.token_deactivated'
      )[]
    | undefined;
}

export interface CreateCampaign {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  readonly message: PushMessageBody;
}

export interface CreateConsoleUser {
  /** In any case: a name has 1 to 64 letters a to z, digits and . _ @ + -, and begins with a letter or digit. At most 64 characters. */
  readonly name: string;
  /** viewer looks, editor makes campaigns, sender sends, admin does everything. */
  readonly role: 'viewer' | 'editor' | 'sender' | 'admin';
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Generated, and answered once, unless given; a password has 12 to 256 characters. At most 512 characters. */
  readonly password?: string | undefined;
}

export interface CreateDeveloperKey {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** At most 255 characters. */
  readonly name: string;
  /** Whose users it may send to; the first is that of a receiver without carrier. At most 100. */
  readonly carriers: readonly string[];
}

export interface CreateDevice {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** APNs device token or FCM registration token, at most 4096 bytes. */
  readonly token: string;
  /** ios and android are also called apns and fcm. */
  readonly platform: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
  readonly environment?: 'production' | 'development' | undefined;
  /** At most 255 characters. */
  readonly userId?: string | undefined;
  /** At most 255 characters. */
  readonly activationId: string;
}

export interface CreateDeviceMulti {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** APNs device token or FCM registration token, at most 4096 bytes. */
  readonly token: string;
  /** ios and android are also called apns and fcm. */
  readonly platform: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
  readonly environment?: 'production' | 'development' | undefined;
  /** At most 255 characters. */
  readonly userId?: string | undefined;
  /** At most 200. */
  readonly activationIds: readonly string[];
}

export interface CreatedApiKey {
  readonly keyId: string;
  /** The whole key. Shown here and never again. */
  readonly key: string;
  readonly timestampCreated: string;
}

export interface CreatedDeveloperKey {
  readonly developerKey: string;
  /** Shown this once. */
  readonly secret: string;
  readonly createdAt: string;
}

export interface DeleteCallback {
  readonly callbackId: number;
}

export interface DeleteDevice {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** APNs device token or FCM registration token, at most 4096 bytes. */
  readonly token: string;
}

export interface DeliveriesListAnswer {
  readonly deliveries: readonly TracedDelivery[];
  readonly searched?: Searched | undefined;
}

export interface DeliveriesListQuery {
  /** At most 255 characters. */
  readonly userId?: string | undefined;
  /** The number that this server gave the application; not its appId. */
  readonly deviceId?: number | undefined;
  /** At most 255 characters. */
  readonly activationId?: string | undefined;
  /** Of any push: APNs was given it as apns-id. */
  readonly deliveryId?: string | undefined;
  /** Of a message: its deliveries, up to `size`. */
  readonly messageId?: string | undefined;
  /** What the provider called a push: the apns-id, or `projects/…/messages/…`, or its last part. At most 255 characters. */
  readonly providerMessageId?: string | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** Both by default. */
  readonly lane?: 'message' | 'campaign' | undefined;
  /** 1 to 200. Default: 50. */
  readonly size?: number | undefined;
}

export interface Delivery {
  readonly id: string;
  readonly platform: 'ios' | 'android';
  readonly state: 'pending' | 'sent' | 'failed' | 'expired' | 'skipped';
  readonly reason?: string | undefined;
  readonly attempts: number;
  readonly nextAttemptAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  readonly providerMessageId?: string | undefined;
  readonly history: readonly Attempt[];
}

export interface DeveloperKey {
  readonly developerKey: string;
  readonly name: string;
  readonly carriers: readonly string[];
  readonly enabled: boolean;
  readonly disabledAt: string | null;
  readonly createdAt: string;
  /** While the secret before the current one is valid, too. */
  readonly oldSecretValidUntil: string | null;
}

export interface DeveloperKeysListAnswer {
  readonly developerKeyList: readonly DeveloperKey[];
}

export interface DeveloperKeysListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
}

export interface DevicesApproveStaleAnswer {
  readonly devices: number;
}

export interface DevicesListPruningsAnswer {
  readonly pruningList: readonly Pruning[];
}

export interface DevicesListPruningsQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** From then on. */
  readonly since?: string | number | undefined;
  /** How they are grouped; by day unless given. */
  readonly by?: 'hour' | 'day' | undefined;
}

export interface DevicesListStaleAnswer {
  readonly heldList: readonly HeldStaleDevices[];
}

export interface DevicesRestoreAllAnswer {
  readonly devices: number;
  readonly dryRun: boolean;
  /** There was no time for all of them: ask again. */
  readonly more: boolean;
}

export interface DevicesRestoreAnswer {
  readonly restored: number;
}

export interface Dispatcher {
  readonly id: string;
  /** The name of its machine, or pod. */
  readonly host: string;
  readonly version: string | null;
  readonly startedAt: string;
  readonly seenAt: string;
  /** It was seen within 20 seconds. */
  readonly alive: boolean;
}

export interface EraseUser {
  /** At most 255 characters. */
  readonly userId: string;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface Error {
  readonly status: 'ERROR';
  readonly responseObject: {
    /** ERROR_GENERIC, ERROR_REQUEST, ERROR_DATA_INTEGRITY or ERROR_DATABASE; of the inbox also ERROR_APP_NOT_FOUND and ERROR_MESSAGE_NOT_FOUND. */
    readonly code: string;
    readonly message: string;
    readonly violations?:
      | readonly {
          readonly fieldName: string;
          /** Null where it could be a secret. */
          readonly invalidValue: unknown;
          readonly hint: string;
        }[]
      | undefined;
  };
}

export interface ExportUser {
  /** At most 255 characters. */
  readonly userId: string;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface Failure {
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  readonly lane: 'message' | 'campaign';
  readonly state: 'failed' | 'expired';
  readonly reason: string;
  /** Those that failed in these hours and were not replayed. */
  readonly count: number;
  /** Those that failed in these hours, replayed or not. */
  readonly failed: number;
  /** Of those, the ones that were put back. */
  readonly replayed: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface FailuresDeliveriesAnswer {
  readonly deliveries: readonly TracedDelivery[];
  /** Leads on as `after`. Null where there is nothing more. */
  readonly next: string | null;
}

export interface FailuresDeliveriesQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly platform: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
  readonly lane: 'message' | 'campaign';
  /** `failed` unless given. */
  readonly state?: 'failed' | 'expired' | undefined;
  /** As in the list of failures, and with the case of its letters. At most 200 characters. */
  readonly reason: string;
  /** From then on; a day before `until` unless given. */
  readonly since?: string | number | undefined;
  /** Before then; now unless given. */
  readonly until?: string | number | undefined;
  /** The `next` of the page before. At most 1000 characters. */
  readonly after?: string | undefined;
  /** 1 to 200. Default: 50. */
  readonly size?: number | undefined;
}

export interface FailuresListAnswer {
  /** The hour in which the period begins. */
  readonly since: string;
  readonly until: string;
  readonly failureList: readonly Failure[];
}

export interface FailuresListQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** ios and android are also called apns and fcm. */
  readonly platform?: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms' | undefined;
  readonly lane?: 'message' | 'campaign' | undefined;
  readonly state?: 'failed' | 'expired' | undefined;
  /** From then on; a day before `until` unless given. */
  readonly since?: string | number | undefined;
  /** Before then; now unless given. */
  readonly until?: string | number | undefined;
}

export interface FailuresReplayAnswer {
  readonly dryRun: boolean;
  /** What was looked through. */
  readonly lanes: readonly ('message' | 'campaign')[];
  /** Put back to be sent again, or would be. */
  readonly replayed: number;
  readonly left: LeftFailures;
  /** There was no time for all of them, or some were just being worked on: ask again with `next` as `after`. */
  readonly more: boolean;
  /** Leads on as `after`. Null where there is nothing more. */
  readonly next: string | null;
}

export interface GetApplication {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  readonly includeIos?: boolean | undefined;
  readonly includeAndroid?: boolean | undefined;
  readonly includeApns?: boolean | undefined;
  readonly includeFcm?: boolean | undefined;
  readonly includeHms?: boolean | undefined;
}

export interface GuardApplyAnswer {
  readonly settled: number;
}

export interface GuardDiscardAnswer {
  readonly settled: number;
}

export interface GuardListAnswer {
  readonly heldList: readonly HeldFaults[];
}

export interface HeldFaults {
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  readonly environment: string;
  readonly kind: 'dead' | 'wrong_place';
  readonly reason: string;
  readonly devices: number;
  readonly since: string;
}

export interface HeldScope {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly provider: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
}

export interface HeldStaleDevices {
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  /** Whose push token is not deactivated. */
  readonly devices: number;
  readonly stale: number;
  readonly reason: 'too_many' | 'no_registrations';
  readonly since: string;
  readonly checkedAt: string;
}

export interface HeldStaleScope {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly provider: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
}

export interface HeldTokenFaults {
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  readonly reason: string;
  readonly devices: number;
  readonly since: string;
}

export interface InboxCountUnreadAnswer {
  readonly countUnread: number;
}

export interface InboxCountUnreadQuery {
  /** At most 255 characters. */
  readonly userId: string;
  /** At most 255 characters. */
  readonly appId: string;
}

export interface InboxGetQuery {
  /** Also called messageId. At most 255 characters. */
  readonly id: string;
}

export interface InboxListQuery {
  /** At most 255 characters. */
  readonly userId: string;
  /** The appIds of applications, with commas between them. At most 255 characters. */
  readonly applications: string;
  /** Default: false. */
  readonly onlyUnread?: boolean | undefined;
  /** Counted from 0; nonsense counts as 0. Default: 0. */
  readonly page?: number | undefined;
  /** What is above 2000 counts as that, nonsense as the default. Default: 20. */
  readonly size?: number | undefined;
}

export interface InboxMessage {
  readonly id: string;
  readonly userId: string;
  readonly type: 'text' | 'html';
  readonly subject: string;
  readonly summary: string;
  readonly body: string;
  readonly read: boolean;
  readonly timestampCreated: string;
  /** Absent while it is unread. */
  readonly timestampRead?: string | undefined;
  readonly applications: readonly string[];
}

export interface InboxMessageSummary {
  readonly id: string;
  readonly type: 'text' | 'html';
  readonly subject: string;
  readonly summary: string;
  readonly read: boolean;
  readonly timestampCreated: string;
}

export interface InboxStreamQuery {
  /** At most 255 characters. */
  readonly userId: string;
  /** The appIds of applications, with commas between them. At most 255 characters. */
  readonly applications: string;
  /** For those who cannot set the header Last-Event-ID, which goes before it. */
  readonly lastEventId?: number | undefined;
}

export interface LaneBacklog {
  readonly lane: 'message' | 'campaign';
  /** How long what is due longest has waited. */
  readonly oldestSeconds: number;
  /** Deliveries that are due; of campaigns about so many. */
  readonly waiting: number;
  /** There are more than were counted. */
  readonly more: boolean;
}

export interface LedgerCounts {
  readonly targeted: number;
  readonly sent: number;
  readonly failed: number;
  readonly expired: number;
  readonly skipped: number;
  readonly pending: number;
  /** Deliveries that a provider once did not answer. */
  readonly ambiguous: number;
}

export interface LeftFailures {
  /** A provider once did not answer, so they may have been shown. */
  readonly ambiguous: number;
  /** The device is gone, somebody else’s, or without a push token that is alive. */
  readonly unreachable: number;
  /** The expiry of the message is over. */
  readonly over: number;
  /** Their run was cancelled. */
  readonly cancelled: number;
}

export interface ListedCampaign {
  readonly id: number;
  readonly appId: number | string;
  readonly sent: boolean;
  readonly message: PushMessageBody;
  readonly timestampCreated: string;
  readonly timestampSent: string | null;
  readonly timestampCompleted: string | null;
  readonly latestRun?: RunProgress | null | undefined;
}

export interface ListedConsoleSession {
  /** Whether it is the one that asks. */
  readonly current: boolean;
  readonly address: string;
  readonly userAgent: string;
  readonly timestampCreated: string;
  /** True to a minute. */
  readonly timestampLastUsed: string;
  readonly timestampExpires: string;
}

export interface LivePersonBasic {
  /** At most 255 characters. */
  readonly username: string;
  /** One is made where none is given. At most 255 characters. */
  readonly password?: string | undefined;
}

export interface LivePersonCertificateName {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** The brand's account number at LivePerson. At most 255 characters. */
  readonly brandId: string;
  /** SHA-256 in hex, with or without colons. */
  readonly fingerprint: string;
}

export interface LivePersonListSendersAnswer {
  readonly senderList: readonly LivePersonSender[];
}

export interface LivePersonListSendersQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface LivePersonSaveSenderAnswer {
  readonly sender: LivePersonSender;
  /** The password that was made. It is shown this once. */
  readonly basicPassword?: string | undefined;
}

export interface LivePersonSender {
  readonly appId: number | string;
  readonly brandId: string;
  readonly name: string | null;
  readonly basicUsername: string | null;
  readonly certificates: readonly {
    readonly commonName: string;
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    readonly validTo: string;
  }[];
}

export interface LivePersonSenderName {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** The brand's account number at LivePerson. At most 255 characters. */
  readonly brandId: string;
}

export interface M800GetRequestAnswer {
  readonly requestId: string;
  readonly createdAt: string;
  readonly receiver: string;
  readonly inbox: {
    readonly id: string;
    readonly read: boolean;
  };
  readonly push?:
    | {
        readonly targeted: number;
        readonly sent: number;
        readonly failed: number;
        readonly expired: number;
        readonly skipped: number;
        readonly pending: number;
        readonly ambiguous: number;
        readonly expiresAt: string;
        readonly deliveries: readonly SignedPushDelivery[];
      }
    | undefined;
}

export interface M800PushAnswer {
  readonly requestId: string;
}

export interface M800PushRequest {
  readonly appMessage: {
    /** At most 65536 characters. */
    readonly content: string;
  };
  readonly push?:
    | {
        /** At most 65536 characters. */
        readonly content?: string | undefined;
      }
    | undefined;
  /** At most 255 characters. */
  readonly sender?: string | undefined;
}

export interface MessageDetail {
  readonly id: string;
  readonly appId: number | string;
  /** Null where the push token was nobody’s. */
  readonly userId: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly counts: LedgerCounts;
  readonly deliveries: readonly Delivery[];
}

export interface NamedApplication {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface NamedDeveloperKey {
  /** At most 128 characters. */
  readonly developerKey: string;
}

export interface OfConsoleUser {
  /** In any case: a name has 1 to 64 letters a to z, digits and . _ @ + -, and begins with a letter or digit. At most 64 characters. */
  readonly name: string;
}

export interface OverviewGetAnswer {
  readonly at: string;
  /** Those that are not over, the latest first. */
  readonly runs: readonly RunProgress[];
  readonly lanes: readonly LaneBacklog[];
  /** In the hours that the last hour touches. */
  readonly failures: readonly Failure[];
  readonly pauses: readonly Pause[];
  readonly heldFaults: readonly HeldTokenFaults[];
  /** Null for what is of one application. */
  readonly dispatchers: readonly Dispatcher[] | null;
  /** Those that end within 30 days. */
  readonly certificates: readonly StoredCertificate[];
  /** Those that fail, or are suspended. */
  readonly callbacks: readonly TroubledCallback[];
}

export interface OverviewGetQuery {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
}

export interface Pause {
  readonly id: number;
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  /** Empty for Android. */
  readonly environment: string;
  readonly scope: string;
  readonly reason: string;
  readonly since: string;
  /** When one delivery is let through as a probe. */
  readonly probeAt: string | null;
}

export interface PausesListAnswer {
  readonly pauseList: readonly Pause[];
}

export interface PayloadPreview {
  readonly platform: 'ios' | 'android';
  readonly route: 'direct' | 'proxy';
  /** What counts; null where it is nested too deep. */
  readonly bytes: number | null;
  readonly limit: number;
  /** Why it would be refused. */
  readonly violation: string | null;
  /** What goes out, but for the token. */
  readonly payload: Readonly<Record<string, unknown>> | null;
}

export interface PlatformCounts {
  readonly sent: number;
  readonly failed: number;
  readonly pending: number;
  readonly total: number;
}

export interface PostInboxMessage {
  /** At most 255 characters. */
  readonly userId: string;
  readonly type: 'text' | 'html';
  /** At most 255 characters. */
  readonly subject: string;
  /** At most 255 characters. */
  readonly summary: string;
  /** At most 65536 characters. */
  readonly body: string;
  /** The appIds of those that show it, each once. */
  readonly applications: readonly string[];
}

export interface PreviewCampaign {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  readonly message: PushMessageBody;
}

export interface Proxy {
  readonly url: string;
  readonly schema: '2017' | 'current';
  readonly brandId: string | null;
  readonly backendService: string | null;
  readonly goneOn: readonly number[];
  readonly retry: 'documented' | 'until_expiry';
  readonly ratePerSecond: number | null;
  readonly basicUsername: string | null;
  readonly caBase64: string | null;
  readonly certificate: {
    readonly commonName: string;
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    readonly validTo: string;
  } | null;
}

export interface Pruning {
  readonly appId: number | string;
  readonly platform: 'ios' | 'android';
  readonly reason: string;
  /** When the hour or day began, in UTC. */
  readonly since: string;
  readonly devices: number;
}

export interface PushMessage {
  /** At most 255 characters. */
  readonly userId: string;
  /** At most 255 characters. */
  readonly activationId?: string | undefined;
  readonly attributes?:
    | {
        /** Wakes the app and shows nothing. */
        readonly silent?: boolean | undefined;
        /** Only to active activations. */
        readonly personal?: boolean | undefined;
      }
    | undefined;
  /** HIGH unless it says NORMAL. */
  readonly priority?: 'NORMAL' | 'HIGH' | undefined;
  readonly body: PushMessageBody;
}

export interface PushMessageBody {
  readonly title?: string | undefined;
  readonly titleLocKey?: string | undefined;
  readonly titleLocArgs?: readonly string[] | undefined;
  readonly body?: string | undefined;
  readonly bodyLocKey?: string | undefined;
  readonly bodyLocArgs?: readonly string[] | undefined;
  readonly icon?: string | undefined;
  readonly sound?: string | undefined;
  readonly category?: string | undefined;
  readonly collapseKey?: string | undefined;
  /** -2147483648 to 2147483647. */
  readonly badge?: number | undefined;
  /** ISO 8601 with an offset, or epoch seconds. Nothing is sent from then on. */
  readonly validUntil?: string | number | undefined;
  /** Any JSON for the app. APNs gets it beside `aps`, FCM in `data`. Nulls are not sent. */
  readonly extras?: Readonly<Record<string, unknown>> | undefined;
}

export interface ReadAllInboxMessages {
  /** At most 255 characters. */
  readonly userId: string;
  /** At most 255 characters. */
  readonly appId: string;
}

export interface ReadInboxMessage {
  /** Also called messageId. At most 255 characters. */
  readonly inboxId: string;
}

export interface ReplayFailures {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly platform?: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms' | undefined;
  /** Unless given, those that the key may send in. */
  readonly lane?: 'message' | 'campaign' | undefined;
  /** Both unless given. */
  readonly state?: 'failed' | 'expired' | undefined;
  /** As in the list of failures, and with the case of its letters. At most 200 characters. */
  readonly reason?: string | undefined;
  /** Only of this message, whenever it was. */
  readonly messageId?: string | undefined;
  /** Only of this run, whenever it was. */
  readonly runId?: string | undefined;
  /** From then on; a day before `until` unless given. */
  readonly since?: string | number | undefined;
  /** Before then; now unless given. */
  readonly until?: string | number | undefined;
  /** They are sent until then. Unless given, only those whose message has not expired are. */
  readonly validUntil?: string | number | undefined;
  /** Also those that may have been shown already. Default: false. */
  readonly includeAmbiguous?: boolean | undefined;
  /** Only counts them. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** The `next` of the answer before. At most 1000 characters. */
  readonly after?: string | undefined;
}

export interface ResendCallbackCall {
  readonly callbackId: number;
  readonly callId: number;
}

export interface RestoreDevice {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** APNs device token or FCM registration token, at most 4096 bytes. */
  readonly token: string;
}

export interface RestoreDevices {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly platform?: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms' | undefined;
  /** At most 255 characters. */
  readonly reason?: string | undefined;
  /** From then on. */
  readonly since: string | number;
  /** Before then. */
  readonly until?: string | number | undefined;
  /** Only counts them. Default: false. */
  readonly dryRun?: boolean | undefined;
}

export interface ResumeCallback {
  readonly callbackId: number;
  /** A `cursor` of any answer or request. At most 64 characters. */
  readonly after?: string | undefined;
  /** Tells again what was written from then on; not together with `after`. */
  readonly since?: string | number | undefined;
}

export interface ResumePause {
  /** The number that this server gave the application; not its appId. */
  readonly id: number;
}

export interface RevokeApiKey {
  /** What follows `hg_` in the key. At most 255 characters. */
  readonly keyId: string;
}

export interface RotateCallback {
  readonly callbackId: number;
  /** So long the old one is used still: time to teach it to the receiver. 0 to 604800. Default: 0. */
  readonly useAfterSeconds?: number | undefined;
}

export interface RotateDeveloperKey {
  /** At most 128 characters. */
  readonly developerKey: string;
  /** How long the old secret stays valid: a day unless given. 0 ends every other one. 0 to 7776000. */
  readonly validForSeconds?: number | undefined;
}

export interface RotatedDeveloperKey {
  /** Shown this once. */
  readonly secret: string;
  readonly oldSecretValidUntil: string | null;
}

export interface RunCounts {
  /** sent + failed + expired + skipped + pending. */
  readonly targeted: number;
  readonly sent: number;
  readonly pending: number;
  readonly failed: number;
  readonly expired: number;
  readonly skipped: number;
  /** Of the pending ones: tried already. */
  readonly retrying: number;
  /** Deliveries that a provider once did not answer. */
  readonly ambiguous: number;
}

export interface RunDevice {
  /** What APNs was given as apns-id. */
  readonly deliveryId: string;
  readonly deviceId: number;
  /** Whom it was for; null where nothing says it any more. */
  readonly userId: string | null;
  /** Null where the device is gone, or somebody else’s by now. */
  readonly activationId: string | null;
  readonly platform: 'ios' | 'android';
  readonly state: 'pending' | 'sent' | 'failed' | 'expired' | 'skipped';
  readonly reason?: string | undefined;
  readonly attempts: number;
  readonly nextAttemptAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  readonly providerMessageId?: string | undefined;
  readonly history: readonly Attempt[];
}

export interface RunProgress {
  readonly runId: string;
  readonly campaignId: number;
  readonly appId: number | string;
  readonly state:
    'scheduled' | 'materialising' | 'running' | 'paused' | 'completed' | 'cancelled' | 'halted';
  /** Why it is paused or halted. */
  readonly reason:
    'operator' | 'canary' | 'failure_rate' | 'canary_failure_rate' | 'expired' | null;
  readonly dryRun: boolean;
  readonly ratePerSecond: number | null;
  readonly canaryPercent: number | null;
  readonly maxFailurePercent: number | null;
  readonly timestampCreated: string;
  /** Not started before. */
  readonly timestampStart: string;
  readonly timestampStarted: string | null;
  /** Its audience was complete. */
  readonly timestampMaterialised: string | null;
  /** Its canary was. */
  readonly timestampApproved: string | null;
  readonly timestampFinished: string | null;
  readonly users: {
    readonly total: number;
    readonly withoutDevice: number;
  };
  readonly excluded: {
    /** Devices of the users that are not in the audience, by reason. */
    readonly ios: Readonly<Record<string, unknown>>;
    /** Devices of the users that are not in the audience, by reason. */
    readonly android: Readonly<Record<string, unknown>>;
  };
  readonly counts: {
    readonly ios: RunCounts;
    readonly android: RunCounts;
    readonly total: RunCounts;
  };
  /** Deliveries that failed, expired or were skipped; the most first. */
  readonly failures: readonly {
    readonly platform: 'ios' | 'android';
    readonly state: 'pending' | 'sent' | 'failed' | 'expired' | 'skipped';
    readonly reason: string | null;
    readonly count: number;
  }[];
  readonly ratePerSecondMeasured: number;
  /** Until nothing is pending. */
  readonly etaSeconds: number | null;
}

export interface RunTimeline {
  readonly runId: string;
  readonly campaignId: number;
  /** Between two points; the last one may come sooner. */
  readonly intervalSeconds: number;
  /** What the counts were at that time, all platforms together, from the start of the run to its end or now: about 180 at most. None before it starts. */
  readonly points: readonly {
    readonly timestamp: string;
    readonly sent: number;
    readonly failed: number;
    readonly expired: number;
    readonly skipped: number;
  }[];
}

export interface RunsDevicesAnswer {
  readonly campaignId: number;
  readonly runId: string;
  readonly devices: readonly RunDevice[];
  /** Leads to the next page as `after`. Null at the end. */
  readonly next: string | null;
}

export interface RunsDevicesQuery {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
  /** By default `failed`, or any where there is a reason. */
  readonly state?: 'pending' | 'sent' | 'failed' | 'expired' | 'skipped' | undefined;
  readonly reason?:
    | 'deferred'
    | 'expired'
    | 'cancelled'
    | 'device_removed'
    | 'device_reassigned'
    | 'token_deactivated'
    | 'token_in_audience'
    | 'environment'
    | 'other'
    | 'ambiguous'
    | 'BadDeviceToken'
    | 'DeviceTokenNotForTopic'
    | 'Unregistered'
    | 'ExpiredToken'
    | 'PayloadTooLarge'
    | 'Forbidden'
    | 'http_403'
    | 'http_404'
    | 'http_410'
    | 'http_400'
    | 'http_413'
    | 'http_422'
    | 'http_redirect'
    | 'http_500'
    | 'http_502'
    | 'http_503'
    | 'UNREGISTERED'
    | 'SENDER_ID_MISMATCH'
    | 'INVALID_ARGUMENT'
    | 'QUOTA_EXCEEDED'
    | 'UNAVAILABLE'
    | 'INTERNAL'
    | undefined;
  /** ios and android are also called apns and fcm. */
  readonly platform?: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms' | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to 1000. Default: 100. */
  readonly size?: number | undefined;
}

export interface RunsEventsQuery {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
}

export interface RunsGetQuery {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
}

export interface RunsListAnswer {
  readonly campaignId: number;
  readonly runs: readonly RunProgress[];
}

export interface RunsListQuery {
  /** Counted from 0; nonsense counts as 0. Default: 0. */
  readonly page?: number | undefined;
  /** What is above 2000 counts as that, nonsense as the default. Default: 20. */
  readonly size?: number | undefined;
}

export interface RunsTimelineQuery {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
}

export interface SaveLivePersonSender {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** The brand's account number at LivePerson. At most 255 characters. */
  readonly brandId: string;
  /** At most 255 characters. */
  readonly name?: string | undefined;
  /** The sender's own certificate in PEM, without its key. It is added to those that the sender has; a new sender needs one. At most 65536 characters. */
  readonly certificatePem?: string | undefined;
  readonly basic?: LivePersonBasic | undefined;
  /** The certificate is enough. */
  readonly removeBasic?: boolean | undefined;
}

export interface SaveProxy {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** ios and android are also called apns and fcm. */
  readonly platform: 'ios' | 'android' | 'apns' | 'fcm' | 'huawei' | 'hms';
  /** https, without name and password, at a public address. At most 2048 characters. */
  readonly url: string;
  /** PEM: the client certificate, then those that lead to its authority. */
  readonly certificateBase64?: string | undefined;
  /** PEM: the key of the certificate. */
  readonly privateKeyBase64?: string | undefined;
  /** Of the key, where it is encrypted. At most 1024 characters. */
  readonly privateKeyPassword?: string | undefined;
  /** At most 255 characters. */
  readonly basicUsername?: string | undefined;
  /** At most 255 characters. */
  readonly basicPassword?: string | undefined;
  /** PEM: authorities to trust beside the public ones. */
  readonly caBase64?: string | undefined;
  /** Which of the documented bodies it takes; current unless given. */
  readonly schema?: '2017' | 'current' | undefined;
  /** At most 255 characters. */
  readonly brandId?: string | undefined;
  /** At most 255 characters. */
  readonly backendService?: string | undefined;
  /** The statuses by which it says that a push token is dead; [410] unless given. At most 2. */
  readonly goneOn?: readonly (404 | 410)[] | undefined;
  /** After trouble: every 10 s, four attempts in all; or ever more slowly until the message expires. documented unless given. */
  readonly retry?: 'documented' | 'until_expiry' | undefined;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

/** Where an id of FCM was looked for: among the deliveries of messages that were accepted then. */
export interface Searched {
  readonly acceptedFrom: string;
  readonly acceptedUntil: string;
  /** False: of campaigns FCM’s ids are not looked for, since most are not kept. */
  readonly campaigns: boolean;
}

export type SendAnswer =
  | {
      readonly mode: 'SYNCHRONOUS';
      readonly messageIds: readonly string[];
      readonly ios: PlatformCounts;
      readonly android: PlatformCounts;
      readonly apns: PlatformCounts;
      readonly fcm: PlatformCounts;
      readonly hms: PlatformCounts;
      readonly result: {
        readonly ios: PlatformCounts;
        readonly android: PlatformCounts;
        readonly apns: PlatformCounts;
        readonly fcm: PlatformCounts;
        readonly hms: PlatformCounts;
      };
    }
  | {
      readonly mode: 'ASYNCHRONOUS';
      readonly messageIds: readonly string[];
    };

export interface SendBatch {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** At most 20. */
  readonly batch: readonly PushMessage[];
  /** SYNCHRONOUS, the default, waits for the outcomes for a while. */
  readonly mode?: 'SYNCHRONOUS' | 'ASYNCHRONOUS' | undefined;
}

export interface SendLiveCampaign {
  /** Send it again, whoever has got it already. */
  readonly resend?: boolean | undefined;
  /** Not before; at most 366 days ahead. At once where it is over. */
  readonly startAt?: string | number | undefined;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
  /** Send so much of the audience first. Above 0. */
  readonly canaryPercent?: number | undefined;
  /** Halt when more of what was tried has failed. 0 to 100. */
  readonly maxFailurePercent?: number | undefined;
  /** Count the audience and send nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface SendMessage {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  readonly message: PushMessage;
  /** SYNCHRONOUS, the default, waits for the outcomes for a while. */
  readonly mode?: 'SYNCHRONOUS' | 'ASYNCHRONOUS' | undefined;
}

export interface SendTestCampaign {
  /** At most 255 characters. */
  readonly userId: string;
}

export interface ServiceStatus {
  readonly applicationName: string;
  readonly applicationDisplayName: string;
  readonly applicationEnvironment: string;
  readonly version: string | null;
  readonly buildTime: string | null;
  readonly timestamp: string;
  /** In sandbox, nothing reaches a real device. */
  readonly providers: 'live' | 'sandbox';
}

export interface SetConsoleUserPassword {
  /** In any case: a name has 1 to 64 letters a to z, digits and . _ @ + -, and begins with a letter or digit. At most 64 characters. */
  readonly name: string;
  /** Generated, and answered once, unless given; a password has 12 to 256 characters. At most 512 characters. */
  readonly password?: string | undefined;
}

export interface SetConsoleUserRole {
  /** In any case: a name has 1 to 64 letters a to z, digits and . _ @ + -, and begins with a letter or digit. At most 64 characters. */
  readonly name: string;
  /** viewer looks, editor makes campaigns, sender sends, admin does everything. */
  readonly role: 'viewer' | 'editor' | 'sender' | 'admin';
}

export interface SetRunRate {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface SignIn {
  /** At most 255 characters. */
  readonly name: string;
  /** At most 1024 characters. */
  readonly password: string;
}

export interface SignInWays {
  readonly oidc: {
    /** What people know the provider by. */
    readonly name: string;
    /** Where signing in by it begins. */
    readonly url: string;
  } | null;
}

export interface SignedPushDelivery {
  readonly id: string;
  readonly platform: 'ios' | 'android';
  readonly state: string;
  readonly reason?: string | undefined;
  readonly attempts: number;
  readonly nextAttemptAt?: string | undefined;
  readonly finishedAt?: string | undefined;
}

export interface SignedPushError {
  readonly error: {
    /** The HTTP status. */
    readonly status: number;
    /** The status and two digits, such as 40106. */
    readonly code: number;
    readonly message: string;
  };
}

export interface StoredCertificate {
  readonly appId: number | string;
  /** Sends to APNs, sends to a customer’s proxy, or is what a LivePerson sender shows. */
  readonly kind: 'apns' | 'proxy' | 'liveperson';
  readonly platform: 'ios' | 'android' | null;
  /** Of LivePerson only. */
  readonly brandId: string | null;
  readonly commonName: string;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
  readonly validTo: string;
  /** Whole days, rounded down: below 0 once it has ended. */
  readonly daysLeft: number;
}

export interface TestCallback {
  readonly callbackId: number;
}

export interface TracedDelivery {
  readonly lane: 'message' | 'campaign';
  readonly appId: number | string;
  readonly messageId?: string | undefined;
  readonly campaignId?: number | undefined;
  readonly runId?: string | undefined;
  /** When the message was accepted, or the run started. */
  readonly createdAt: string;
  /** What APNs was given as apns-id. */
  readonly deliveryId: string;
  readonly deviceId: number;
  /** Whom it was for; null where nothing says it any more. */
  readonly userId: string | null;
  /** Null where the device is gone, or somebody else’s by now. */
  readonly activationId: string | null;
  readonly platform: 'ios' | 'android';
  readonly state: 'pending' | 'sent' | 'failed' | 'expired' | 'skipped';
  readonly reason?: string | undefined;
  readonly attempts: number;
  readonly nextAttemptAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  readonly providerMessageId?: string | undefined;
  readonly history: readonly Attempt[];
}

export interface TroubledCallback {
  readonly id: number;
  readonly appId: number | string;
  /** In a row. */
  readonly failures: number;
  readonly failingSince: string | null;
  readonly lastResult: string | null;
  readonly suspendedAt: string | null;
  readonly suspendedBecause: 'gone' | 'failing' | null;
}

export interface UpdateAndroid {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** At most 255 characters. */
  readonly projectId: string;
  /** The service account's JSON file. */
  readonly privateKeyBase64: string;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface UpdateApns {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** At most 255 characters. */
  readonly bundle: string;
  /** At most 255 characters. */
  readonly keyId: string;
  /** At most 255 characters. */
  readonly teamId: string;
  /** The .p8 file. */
  readonly privateKeyBase64: string;
  readonly environment: 'production' | 'development';
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface UpdateApnsCertificate {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** One of the certificate's topics; absent: its main one. At most 255 characters. */
  readonly bundle?: string | undefined;
  /** PEM with the certificate and its private key, or PKCS#12 (.p12). */
  readonly certificateBase64: string;
  /** Of the .p12 file, or of the key in PEM. At most 1024 characters. */
  readonly certificatePassword?: string | undefined;
  readonly environment?: 'production' | 'development' | undefined;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface UpdateDeviceStatus {
  /** At most 255 characters. */
  readonly activationId: string;
  readonly activationStatus?:
    'CREATED' | 'PENDING_COMMIT' | 'ACTIVE' | 'BLOCKED' | 'REMOVED' | undefined;
}

export interface UpdateFcm {
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId: string | number;
  /** At most 255 characters. */
  readonly projectId: string;
  /** The service account's JSON file. */
  readonly privateKeyBase64: string;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface UpdateIos {
  /** The number that this server gave the application; not its appId. */
  readonly id?: number | undefined;
  /** The application, a positive number or a string. At most 255 characters. */
  readonly appId?: string | number | undefined;
  /** At most 255 characters. */
  readonly bundle: string;
  /** At most 255 characters. */
  readonly keyId: string;
  /** At most 255 characters. */
  readonly teamId: string;
  /** The .p8 file. */
  readonly privateKeyBase64: string;
  readonly environment?: 'production' | 'development' | undefined;
  /** Messages per second over all dispatchers. No limit unless given. Above 0, at most 1000000. */
  readonly ratePerSecond?: number | undefined;
}

export interface UserCount {
  readonly campaignId: number;
  readonly users: number;
}

export interface UsersEraseAnswer {
  /** What is left of messages names it. */
  readonly erasureId: string;
  /** False while there is more to do, which goes on by itself. */
  readonly erased: boolean;
  readonly erasedAt: string | null;
  readonly devices: number;
  readonly messages: number;
  /** Deliveries that were pending. */
  readonly skipped: number;
  readonly inboxMessages: number;
  readonly campaigns: number;
  readonly campaignDeliveries: number;
}

export interface UsersExportAnswer {
  readonly userId: string;
  readonly exportedAt: string;
  /** With their push tokens. */
  readonly devices: readonly Readonly<Record<string, unknown>>[];
  /** Of the local directory. They belong to no application: with appId, those that have a device in it. */
  readonly activations: readonly Readonly<Record<string, unknown>>[];
  /** With what they said, and what became of each delivery. */
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  /** Read or not. */
  readonly inbox: readonly Readonly<Record<string, unknown>>[];
  /** Which the user is among the users of. */
  readonly campaigns: readonly Readonly<Record<string, unknown>>[];
  /** To devices of the user, in runs whose devices are still kept. */
  readonly campaignDeliveries: readonly Readonly<Record<string, unknown>>[];
}

export interface WhichRun {
  /** The latest run that is no dry run, unless given. */
  readonly runId?: string | undefined;
}
