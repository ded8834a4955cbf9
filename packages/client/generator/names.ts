/**
 * What repeating a request does. `safe`: the same as the first one did. `once`: it may do the thing again, or undo what somebody did in
 * between. What is read, and what takes an Idempotency-Key, needs no entry.
 */
export type Repeat = 'safe' | 'once';

/** How an answer leads to the rest of a list. */
export type Pages =
  /** By the numbers of pages. Without `items` the list is the whole answer. */
  | { readonly by: 'number'; readonly items?: string }
  /** By what the answer has as `next`, given as `parameter`. `size` is the parameter with the length of a page. */
  | {
      readonly by: 'cursor';
      readonly items: string;
      readonly next: string;
      readonly parameter: string;
      readonly size: string;
    };

export interface Name {
  /** Group and method: `messages.send`. Those of `m800` are written by hand. */
  readonly name: string;
  readonly repeat?: Repeat;
  readonly pages?: Pages;
  /** Goes in requests of bounded size. */
  readonly audience?: true;
  /** Server-sent events, and who follows them. */
  readonly follow?: 'followInbox' | 'followRun';
}

const safe = (name: string): Name => ({ name, repeat: 'safe' });
const once = (name: string): Name => ({ name, repeat: 'once' });

/** What each operation of the OpenAPI document is called here. Aliases of an endpoint have none. */
export const NAMES: Readonly<Record<string, Name>> = {
  getPushServiceStatus: { name: 'service.status' },

  postPushMessageSend: { name: 'messages.send' },
  postPushMessageBatchSend: { name: 'messages.sendBatch' },
  getPushMessageId: { name: 'messages.get' },
  getPushDeliveryList: { name: 'deliveries.list' },

  getPushFailureList: { name: 'failures.list' },
  getPushFailureDeliveries: {
    name: 'failures.deliveries',
    pages: { by: 'cursor', items: 'deliveries', next: 'next', parameter: 'after', size: 'size' },
  },
  postPushFailureReplay: { name: 'failures.replay' },
  getPushOverview: { name: 'overview.get' },

  postPushDeviceCreate: safe('devices.register'),
  postPushDeviceCreateMulti: safe('devices.registerForActivations'),
  postPushDeviceDelete: safe('devices.delete'),
  postPushDeviceStatusUpdate: safe('devices.updateStatus'),
  postAdminDeviceRestore: once('devices.restore'),
  postAdminDeviceRestoreAll: once('devices.restoreAll'),
  getAdminDevicePruningList: { name: 'devices.listPrunings' },
  getAdminDeviceStaleList: { name: 'devices.listStale' },
  postAdminDeviceStaleApprove: once('devices.approveStale'),

  postPushCampaignCreate: once('campaigns.create'),
  postPushCampaignPreview: safe('campaigns.preview'),
  postPushCampaignIdUserAddAll: safe('campaigns.addAllUsers'),
  postPushCampaignIdDelete: safe('campaigns.delete'),
  getPushCampaignIdDetail: { name: 'campaigns.get' },
  getPushCampaignList: { name: 'campaigns.list' },
  putPushCampaignIdUserAdd: { name: 'campaigns.addUsers', repeat: 'safe', audience: true },
  postPushCampaignIdUserDelete: { name: 'campaigns.removeUsers', repeat: 'safe', audience: true },
  getPushCampaignIdUserCount: { name: 'campaigns.countUsers' },
  getPushCampaignIdUserList: {
    name: 'campaigns.listUsers',
    pages: { by: 'number', items: 'users' },
  },
  postPushCampaignSendTestId: { name: 'campaigns.sendTest' },
  postPushCampaignSendLiveId: { name: 'campaigns.sendLive' },

  getPushCampaignIdRun: { name: 'runs.get' },
  getPushCampaignIdRunTimeline: { name: 'runs.timeline' },
  getPushCampaignIdRunList: { name: 'runs.list', pages: { by: 'number', items: 'runs' } },
  getPushCampaignIdRunEvents: { name: 'runs.events', follow: 'followRun' },
  postPushCampaignIdRunPause: once('runs.pause'),
  postPushCampaignIdRunResume: once('runs.resume'),
  postPushCampaignIdRunCancel: once('runs.cancel'),
  postPushCampaignIdRunApprove: once('runs.approve'),
  postPushCampaignIdRunRate: once('runs.setRate'),
  getPushCampaignIdRunDevices: {
    name: 'runs.devices',
    pages: { by: 'cursor', items: 'devices', next: 'next', parameter: 'after', size: 'size' },
  },

  postInboxMessages: { name: 'inbox.post' },
  getInboxMessagesList: { name: 'inbox.list', pages: { by: 'number' } },
  getInboxMessagesCount: { name: 'inbox.countUnread' },
  getInboxMessagesDetail: { name: 'inbox.get' },
  postInboxMessagesRead: safe('inbox.markRead'),
  postInboxMessagesReadAll: once('inbox.markAllRead'),
  getInboxMessagesStream: { name: 'inbox.stream', follow: 'followInbox' },

  getPushCallbackEvents: {
    name: 'callbacks.events',
    pages: { by: 'cursor', items: 'events', next: 'cursor', parameter: 'after', size: 'limit' },
  },
  postAdminAppCallbackCreate: once('callbacks.create'),
  getAdminAppCallbackList: { name: 'callbacks.list' },
  postAdminAppCallbackDelete: safe('callbacks.delete'),
  postAdminAppCallbackRotate: once('callbacks.rotate'),
  postAdminAppCallbackTest: once('callbacks.test'),
  postAdminAppCallbackResume: once('callbacks.resume'),
  getAdminAppCallbackCalls: {
    name: 'callbacks.calls',
    pages: { by: 'cursor', items: 'calls', next: 'next', parameter: 'after', size: 'size' },
  },
  postAdminAppCallbackResend: once('callbacks.resend'),

  getAdminAppList: { name: 'apps.list' },
  getAdminAppUnconfiguredList: { name: 'apps.listUnconfigured' },
  postAdminAppDetail: safe('apps.get'),
  postAdminAppCreate: once('apps.create'),
  postAdminAppIosUpdate: safe('apps.updateIos'),
  postAdminAppIosRemove: safe('apps.removeIos'),
  postAdminAppAndroidUpdate: safe('apps.updateAndroid'),
  postAdminAppAndroidRemove: safe('apps.removeAndroid'),
  postAdminAppApns: safe('apps.saveApns'),
  deleteAdminAppApns: { name: 'apps.removeApns', repeat: 'safe' },
  postAdminAppApnsCertificate: safe('apps.saveApnsCertificate'),
  postAdminAppFcm: safe('apps.saveFcm'),
  deleteAdminAppFcm: safe('apps.removeFcm'),
  postAdminAppProxy: safe('apps.saveProxy'),
  deleteAdminAppProxy: safe('apps.removeProxy'),

  postAdminAppDeveloperKeyCreate: once('developerKeys.create'),
  getAdminAppDeveloperKeyList: { name: 'developerKeys.list' },
  postAdminAppDeveloperKeyDisable: safe('developerKeys.disable'),
  postAdminAppDeveloperKeyEnable: safe('developerKeys.enable'),
  postAdminAppDeveloperKeyRotate: once('developerKeys.rotate'),

  postAdminAppLiveperson: safe('livePerson.saveSender'),
  getAdminAppLivepersonList: { name: 'livePerson.listSenders' },
  postAdminAppLivepersonRemove: safe('livePerson.removeSender'),
  postAdminAppLivepersonCertificateRemove: safe('livePerson.removeCertificate'),

  postAdminKeyCreate: once('apiKeys.create'),
  getAdminKeyList: { name: 'apiKeys.list' },
  postAdminKeyRevoke: safe('apiKeys.revoke'),
  getAdminAuditList: {
    name: 'audit.list',
    pages: { by: 'cursor', items: 'entries', next: 'cursor', parameter: 'before', size: 'limit' },
  },
  getAdminCertificateList: {
    name: 'certificates.list',
    pages: { by: 'number', items: 'certificateList' },
  },

  getAdminPauseList: { name: 'pauses.list' },
  postAdminPauseResume: once('pauses.resume'),
  getAdminGuardList: { name: 'guard.list' },
  postAdminGuardApply: once('guard.apply'),
  postAdminGuardDiscard: once('guard.discard'),

  postAdminUserCreate: once('consoleUsers.create'),
  getAdminUserList: { name: 'consoleUsers.list' },
  postAdminUserRole: safe('consoleUsers.setRole'),
  postAdminUserPassword: safe('consoleUsers.setPassword'),
  postAdminUserDisable: safe('consoleUsers.disable'),
  postAdminUserEnable: safe('consoleUsers.enable'),
  postAdminUserRemove: safe('consoleUsers.remove'),

  postAdminUserExport: safe('users.export'),
  postAdminUserErase: once('users.erase'),

  postApiPushReceiver: { name: 'm800.push' },
  getApiPushRequestsRequestId: { name: 'm800.getRequest' },
};

/** Endpoints without a method, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  putInboxMessagesRead: 'inbox.markRead with its input in the query',
  putInboxMessagesReadAll: 'inbox.markAllRead with its input in the query',
  postAdminAppHms: 'Huawei is always refused',
  postAdminAppHuaweiUpdate: 'Huawei is always refused',
  postAdminAppHuaweiRemove: 'Huawei is always refused',
  postConsoleSession: 'sessions are for browsers: a backend shows a key',
  getConsoleSession: 'sessions are for browsers: a backend shows a key',
  deleteConsoleSession: 'sessions are for browsers: a backend shows a key',
  getConsoleSessionList: 'sessions are for browsers: a backend shows a key',
  postConsoleSessionPassword: 'sessions are for browsers: a backend shows a key',
  deleteConsoleSessionAll: 'sessions are for browsers: a backend shows a key',
  getConsoleSessionWays: 'sessions are for browsers: a backend shows a key',
  getConsoleSessionOidc: 'leads browsers to a provider',
  getConsoleSessionOidcCallback: 'leads browsers back from a provider',
};

/** What the groups are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  service: 'The server itself.',
  messages: 'Messages to single users, and what became of them.',
  deliveries: 'Where is my push?',
  failures: 'What failed for good, and how to send it again.',
  overview: 'What goes on at present.',
  devices: 'Installations of apps and their push tokens.',
  campaigns: 'One message for many users.',
  runs: 'Sendings of campaigns: their progress and their control.',
  inbox: 'Messages that an app shows inside itself.',
  callbacks: 'Signed calls that tell what happened, and the same events to fetch.',
  apps: 'Applications and their credentials at APNs, FCM and customers’ proxies.',
  developerKeys: 'Keys of those who sign their pushes (M800).',
  livePerson: 'Brands that hand over pushes.',
  apiKeys: 'Keys of this API.',
  audit: 'What was done by whom.',
  certificates: 'Certificates that are stored, and their ends.',
  pauses: 'What is stopped, and why.',
  guard: 'Token faults that are held back.',
  users: 'Everything that is kept about a user.',
  consoleUsers: 'Those who may sign in to the console.',
};
