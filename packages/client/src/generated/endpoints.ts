// Made from docs/api/openapi.json by `npm run generate -w @heliograph/client`: change that, not this.

import { sendAudience } from '../audience.ts';
import { segment, type CallOptions, type Http, type KeyedOptions } from '../http.ts';
import { pagesByCursor, pagesByNumber, type Paged } from '../paged.ts';
import {
  followInbox,
  followRun,
  type InboxEvent,
  type InboxStreamOptions,
  type StreamOptions,
} from '../streams.ts';

import type {
  AddAllUsers,
  ApiKeysListAnswer,
  ApiKeysListQuery,
  ApplicationDetail,
  AppsCreateAnswer,
  AppsListAnswer,
  AppsListUnconfiguredAnswer,
  AppsRemoveApnsQuery,
  AppsRemoveFcmQuery,
  AppsRemoveProxyQuery,
  AppsSaveApnsCertificateQuery,
  AppsSaveApnsQuery,
  AppsSaveFcmQuery,
  AppsSaveProxyQuery,
  AppsUpdateAndroidQuery,
  AppsUpdateIosQuery,
  AuditEntry,
  AuditListAnswer,
  AuditListQuery,
  CallbackCall,
  CallbackEvent,
  CallbacksCallsAnswer,
  CallbacksCallsQuery,
  CallbacksCreateAnswer,
  CallbacksEventsAnswer,
  CallbacksEventsQuery,
  CallbacksListAnswer,
  CallbacksListQuery,
  CallbacksResendAnswer,
  CallbacksRotateAnswer,
  Campaign,
  CampaignsAddAllUsersAnswer,
  CampaignsCreateAnswer,
  CampaignsDeleteAnswer,
  CampaignsListQuery,
  CampaignsListUsersAnswer,
  CampaignsListUsersQuery,
  CampaignsPreviewAnswer,
  CertificatesListAnswer,
  CertificatesListQuery,
  ConsoleUsersCreateAnswer,
  ConsoleUsersListAnswer,
  ConsoleUsersListQuery,
  ConsoleUsersSetPasswordAnswer,
  CreateApiKey,
  CreateApplication,
  CreateCallback,
  CreateCampaign,
  CreateConsoleUser,
  CreateDeveloperKey,
  CreateDevice,
  CreateDeviceMulti,
  CreatedApiKey,
  CreatedDeveloperKey,
  DeleteCallback,
  DeleteDevice,
  DeliveriesListAnswer,
  DeliveriesListQuery,
  DeveloperKeysListAnswer,
  DeveloperKeysListQuery,
  DevicesApproveStaleAnswer,
  DevicesListPruningsAnswer,
  DevicesListPruningsQuery,
  DevicesListStaleAnswer,
  DevicesRestoreAllAnswer,
  DevicesRestoreAnswer,
  EraseUser,
  ExportUser,
  FailuresDeliveriesAnswer,
  FailuresDeliveriesQuery,
  FailuresListAnswer,
  FailuresListQuery,
  FailuresReplayAnswer,
  GetApplication,
  GuardApplyAnswer,
  GuardDiscardAnswer,
  GuardListAnswer,
  HeldScope,
  HeldStaleScope,
  InboxCountUnreadAnswer,
  InboxCountUnreadQuery,
  InboxGetQuery,
  InboxListQuery,
  InboxMessage,
  InboxMessageSummary,
  InboxStreamQuery,
  ListedCampaign,
  LivePersonCertificateName,
  LivePersonListSendersAnswer,
  LivePersonListSendersQuery,
  LivePersonSaveSenderAnswer,
  LivePersonSenderName,
  MessageDetail,
  NamedApplication,
  NamedDeveloperKey,
  OfConsoleUser,
  OverviewGetAnswer,
  OverviewGetQuery,
  PausesListAnswer,
  PostInboxMessage,
  PreviewCampaign,
  ReadAllInboxMessages,
  ReadInboxMessage,
  ReplayFailures,
  ResendCallbackCall,
  RestoreDevice,
  RestoreDevices,
  ResumeCallback,
  ResumePause,
  RevokeApiKey,
  RotateCallback,
  RotateDeveloperKey,
  RotatedDeveloperKey,
  RunDevice,
  RunProgress,
  RunTimeline,
  RunsDevicesAnswer,
  RunsDevicesQuery,
  RunsEventsQuery,
  RunsGetQuery,
  RunsListAnswer,
  RunsListQuery,
  RunsTimelineQuery,
  SaveLivePersonSender,
  SaveProxy,
  SendAnswer,
  SendBatch,
  SendLiveCampaign,
  SendMessage,
  SendTestCampaign,
  ServiceStatus,
  SetConsoleUserPassword,
  SetConsoleUserRole,
  SetRunRate,
  StoredCertificate,
  TestCallback,
  TracedDelivery,
  UpdateAndroid,
  UpdateApns,
  UpdateApnsCertificate,
  UpdateDeviceStatus,
  UpdateFcm,
  UpdateIos,
  UserCount,
  UsersEraseAnswer,
  UsersExportAnswer,
  WhichRun,
} from './schemas.ts';

/** The server itself. */
export interface Service {
  /**
   * Name, version and time of the server.
   *
   * `GET /push/service/status`. Open to everybody.
   */
  status(options?: CallOptions): Promise<ServiceStatus>;
}

function createService(http: Http): Service {
  return {
    status: (options) =>
      http.call({ method: 'GET', path: '/push/service/status', repeat: 'safe' }, options),
  };
}

/** Messages to single users, and what became of them. */
export interface Messages {
  /**
   * Sends a message to all devices of a user, or of one activation.
   *
   * `POST /push/message/send`. Takes an API key, or a user of the console, with the scope send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  send(request: SendMessage, options?: KeyedOptions): Promise<SendAnswer>;

  /**
   * Sends up to 20 messages; one that is invalid keeps all from being sent.
   *
   * `POST /push/message/batch/send`. Takes an API key, or a user of the console, with the scope send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  sendBatch(request: SendBatch, options?: KeyedOptions): Promise<SendAnswer>;

  /**
   * What happened to a message, down to each attempt.
   *
   * `GET /push/message/{id}`. Takes an API key, or a user of the console, with the scope send or read or admin.
   */
  get(id: string, options?: CallOptions): Promise<MessageDetail>;
}

function createMessages(http: Http): Messages {
  return {
    send: (request, options) =>
      http.call({ method: 'POST', path: '/push/message/send', repeat: 'keyed', request }, options),
    sendBatch: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/message/batch/send', repeat: 'keyed', request },
        options,
      ),
    get: (id, options) =>
      http.call({ method: 'GET', path: `/push/message/${segment(id)}`, repeat: 'safe' }, options),
  };
}

/** Where is my push? */
export interface Deliveries {
  /**
   * Where is my push? The latest deliveries of a user, device or activation, or the one with an id; give one of the six.
   *
   * `GET /push/delivery/list`. Takes an API key, or a user of the console, with the scope read or admin.
   */
  list(query?: DeliveriesListQuery, options?: CallOptions): Promise<DeliveriesListAnswer>;
}

function createDeliveries(http: Http): Deliveries {
  return {
    list: (query, options) =>
      http.call({ method: 'GET', path: '/push/delivery/list', repeat: 'safe', query }, options),
  };
}

/** What failed for good, and how to send it again. */
export interface Failures {
  /**
   * What failed for good or expired, by cause, in the hours of a period; at most 1000 causes, those of most deliveries first.
   *
   * `GET /push/failure/list`. Takes an API key, or a user of the console, with the scope read or admin.
   */
  list(query?: FailuresListQuery, options?: CallOptions): Promise<FailuresListAnswer>;

  /**
   * The deliveries behind one cause of the list of failures.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /push/failure/deliveries`. Takes an API key, or a user of the console, with the scope read or admin.
   */
  deliveries(
    query: FailuresDeliveriesQuery,
    options?: CallOptions,
  ): Paged<TracedDelivery, FailuresDeliveriesAnswer>;

  /**
   * Puts failed deliveries back to be sent again: `send` for those of messages, `campaigns:send` for those of campaigns.
   *
   * `POST /push/failure/replay`. Takes an API key, or a user of the console, with the scope send or campaigns:send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  replay(request: ReplayFailures, options?: KeyedOptions): Promise<FailuresReplayAnswer>;
}

function createFailures(http: Http): Failures {
  return {
    list: (query, options) =>
      http.call({ method: 'GET', path: '/push/failure/list', repeat: 'safe', query }, options),
    deliveries: (query, options) =>
      pagesByCursor(
        http,
        { method: 'GET', path: '/push/failure/deliveries', repeat: 'safe', query },
        {
          parameter: 'after',
          size: 'size',
          items: (page: FailuresDeliveriesAnswer) => page.deliveries,
          next: (page: FailuresDeliveriesAnswer) => page.next,
        },
        options,
      ),
    replay: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/failure/replay', repeat: 'keyed', request },
        options,
      ),
  };
}

/** What goes on at present. */
export interface Overview {
  /**
   * How it stands: what is sent, waits, fails and is stopped; at most 50 of each kind.
   *
   * `GET /push/overview`. Takes an API key, or a user of the console, with the scope read or admin.
   */
  get(query?: OverviewGetQuery, options?: CallOptions): Promise<OverviewGetAnswer>;
}

function createOverview(http: Http): Overview {
  return {
    get: (query, options) =>
      http.call({ method: 'GET', path: '/push/overview', repeat: 'safe', query }, options),
  };
}

/** Installations of apps and their push tokens. */
export interface Devices {
  /**
   * Registers a push token for one activation.
   *
   * `POST /push/device/create`. Takes an API key, or a user of the console, with the scope devices or admin. Repeated where no answer came.
   */
  register(request: CreateDevice, options?: CallOptions): Promise<void>;

  /**
   * Registers a push token for several activations.
   *
   * `POST /push/device/create/multi`. Takes an API key, or a user of the console, with the scope devices or admin. Repeated where no answer came.
   */
  registerForActivations(request: CreateDeviceMulti, options?: CallOptions): Promise<void>;

  /**
   * Deletes all devices of an application with this push token.
   *
   * `POST /push/device/delete`. Takes an API key, or a user of the console, with the scope devices or admin. Repeated where no answer came.
   */
  delete(request: DeleteDevice, options?: CallOptions): Promise<void>;

  /**
   * Tells the status of an activation; without one, the activation directory is asked.
   *
   * `POST /push/device/status/update`. Takes an API key, or a user of the console, with the scope devices or admin. Repeated where no answer came.
   */
  updateStatus(request: UpdateDeviceStatus, options?: CallOptions): Promise<void>;

  /**
   * Takes back that a push token was deactivated.
   *
   * `POST /admin/device/restore`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  restore(request: RestoreDevice, options?: CallOptions): Promise<DevicesRestoreAnswer>;

  /**
   * Takes back that push tokens were deactivated, of a whole pruning.
   *
   * `POST /admin/device/restore-all`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  restoreAll(request: RestoreDevices, options?: CallOptions): Promise<DevicesRestoreAllAnswer>;

  /**
   * Lists how many push tokens were deactivated when and why, and still are; of the last 30 days unless told otherwise.
   *
   * `GET /admin/device/pruning/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  listPrunings(
    query?: DevicesListPruningsQuery,
    options?: CallOptions,
  ): Promise<DevicesListPruningsAnswer>;

  /**
   * Lists the applications with too many devices that did not register for long.
   *
   * `GET /admin/device/stale/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  listStale(options?: CallOptions): Promise<DevicesListStaleAnswer>;

  /**
   * They really are gone: lets a dispatcher deactivate them.
   *
   * `POST /admin/device/stale/approve`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  approveStale(request: HeldStaleScope, options?: CallOptions): Promise<DevicesApproveStaleAnswer>;
}

function createDevices(http: Http): Devices {
  return {
    register: (request, options) =>
      http.call({ method: 'POST', path: '/push/device/create', repeat: 'safe', request }, options),
    registerForActivations: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/device/create/multi', repeat: 'safe', request },
        options,
      ),
    delete: (request, options) =>
      http.call({ method: 'POST', path: '/push/device/delete', repeat: 'safe', request }, options),
    updateStatus: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/device/status/update', repeat: 'safe', request },
        options,
      ),
    restore: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/device/restore', repeat: 'once', request },
        options,
      ),
    restoreAll: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/device/restore-all', repeat: 'once', request },
        options,
      ),
    listPrunings: (query, options) =>
      http.call(
        { method: 'GET', path: '/admin/device/pruning/list', repeat: 'safe', query },
        options,
      ),
    listStale: (options) =>
      http.call({ method: 'GET', path: '/admin/device/stale/list', repeat: 'safe' }, options),
    approveStale: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/device/stale/approve', repeat: 'once', request },
        options,
      ),
  };
}

/** One message for many users. */
export interface Campaigns {
  /**
   * Makes a campaign without users.
   *
   * `POST /push/campaign/create`. Takes an API key, or a user of the console, with the scope campaigns or admin. Repeated only where it was certainly not done.
   */
  create(request: CreateCampaign, options?: CallOptions): Promise<CampaignsCreateAnswer>;

  /**
   * What would go out for a message, per platform, and whether it fits.
   *
   * `POST /push/campaign/preview`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or admin. Repeated where no answer came.
   */
  preview(request: PreviewCampaign, options?: CallOptions): Promise<CampaignsPreviewAnswer>;

  /**
   * Adds every user who has a device of the application now to a campaign.
   *
   * `POST /push/campaign/{id}/user/add-all`. Takes an API key, or a user of the console, with the scope campaigns or admin. Repeated where no answer came.
   */
  addAllUsers(
    id: number,
    request?: AddAllUsers,
    options?: CallOptions,
  ): Promise<CampaignsAddAllUsersAnswer>;

  /**
   * Deletes a campaign with its users.
   *
   * `POST /push/campaign/{id}/delete`. Takes an API key, or a user of the console, with the scope campaigns or admin. Repeated where no answer came.
   */
  delete(id: number, options?: CallOptions): Promise<CampaignsDeleteAnswer>;

  /**
   * One campaign.
   *
   * `GET /push/campaign/{id}/detail`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  get(id: number, options?: CallOptions): Promise<Campaign>;

  /**
   * Lists campaigns, all at once or by pages.
   *
   * `GET /push/campaign/list`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  list(query?: CampaignsListQuery, options?: CallOptions): Promise<readonly ListedCampaign[]>;

  /**
   * Adds users to a campaign.
   *
   * Any number of them, in requests that the server takes; each may be repeated.
   *
   * `PUT /push/campaign/{id}/user/add`. Takes an API key, or a user of the console, with the scope campaigns or admin. Repeated where no answer came.
   */
  addUsers(
    id: number,
    users: Iterable<string> | AsyncIterable<string>,
    options?: CallOptions,
  ): Promise<void>;

  /**
   * Removes users from a campaign.
   *
   * Any number of them, in requests that the server takes; each may be repeated.
   *
   * `POST /push/campaign/{id}/user/delete`. Takes an API key, or a user of the console, with the scope campaigns or admin. Repeated where no answer came.
   */
  removeUsers(
    id: number,
    users: Iterable<string> | AsyncIterable<string>,
    options?: CallOptions,
  ): Promise<void>;

  /**
   * Counts the users of a campaign. How many devices they have is told by a dry run.
   *
   * `GET /push/campaign/{id}/user/count`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  countUsers(id: number, options?: CallOptions): Promise<UserCount>;

  /**
   * Lists the users of a campaign, in the order in which they were added.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /push/campaign/{id}/user/list`. Takes an API key, or a user of the console, with the scope campaigns or read or admin.
   */
  listUsers(
    id: number,
    query?: CampaignsListUsersQuery,
    options?: CallOptions,
  ): Paged<string, CampaignsListUsersAnswer>;

  /**
   * Sends what a campaign says to one user, who need not be in it.
   *
   * `POST /push/campaign/send/test/{id}`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  sendTest(id: number, request: SendTestCampaign, options?: KeyedOptions): Promise<void>;

  /**
   * Sends a campaign to its users, once.
   *
   * `POST /push/campaign/send/live/{id}`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  sendLive(id: number, request?: SendLiveCampaign, options?: KeyedOptions): Promise<RunProgress>;
}

function createCampaigns(http: Http): Campaigns {
  return {
    create: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/campaign/create', repeat: 'once', request },
        options,
      ),
    preview: (request, options) =>
      http.call(
        { method: 'POST', path: '/push/campaign/preview', repeat: 'safe', request },
        options,
      ),
    addAllUsers: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/${segment(id)}/user/add-all`,
          repeat: 'safe',
          request,
        },
        options,
      ),
    delete: (id, options) =>
      http.call(
        { method: 'POST', path: `/push/campaign/${segment(id)}/delete`, repeat: 'safe' },
        options,
      ),
    get: (id, options) =>
      http.call(
        { method: 'GET', path: `/push/campaign/${segment(id)}/detail`, repeat: 'safe' },
        options,
      ),
    list: (query, options) =>
      http.call({ method: 'GET', path: '/push/campaign/list', repeat: 'safe', query }, options),
    addUsers: (id, users, options) =>
      sendAudience(
        http,
        { method: 'PUT', path: `/push/campaign/${segment(id)}/user/add`, repeat: 'safe' },
        users,
        options,
      ),
    removeUsers: (id, users, options) =>
      sendAudience(
        http,
        { method: 'POST', path: `/push/campaign/${segment(id)}/user/delete`, repeat: 'safe' },
        users,
        options,
      ),
    countUsers: (id, options) =>
      http.call(
        { method: 'GET', path: `/push/campaign/${segment(id)}/user/count`, repeat: 'safe' },
        options,
      ),
    listUsers: (id, query, options) =>
      pagesByNumber(
        http,
        { method: 'GET', path: `/push/campaign/${segment(id)}/user/list`, repeat: 'safe', query },
        (page: CampaignsListUsersAnswer) => page.users,
        options,
      ),
    sendTest: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/send/test/${segment(id)}`,
          repeat: 'keyed',
          request,
        },
        options,
      ),
    sendLive: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/send/live/${segment(id)}`,
          repeat: 'keyed',
          request,
        },
        options,
      ),
  };
}

/** Sendings of campaigns: their progress and their control. */
export interface Runs {
  /**
   * How far a run is.
   *
   * `GET /push/campaign/{id}/run`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  get(id: number, query?: RunsGetQuery, options?: CallOptions): Promise<RunProgress>;

  /**
   * What had come of a run at each time.
   *
   * `GET /push/campaign/{id}/run/timeline`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  timeline(id: number, query?: RunsTimelineQuery, options?: CallOptions): Promise<RunTimeline>;

  /**
   * Lists the runs of a campaign, the latest first.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /push/campaign/{id}/run/list`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  list(
    id: number,
    query?: RunsListQuery,
    options?: CallOptions,
  ): Paged<RunProgress, RunsListAnswer>;

  /**
   * How far a run is, told whenever it changes.
   *
   * Connects again by itself, for as long as it is gone through; rejects when it is refused.
   *
   * `GET /push/campaign/{id}/run/events`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  events(id: number, query?: RunsEventsQuery, options?: StreamOptions): AsyncIterable<RunProgress>;

  /**
   * Stops sending for the time being.
   *
   * `POST /push/campaign/{id}/run/pause`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated only where it was certainly not done.
   */
  pause(id: number, request?: WhichRun, options?: CallOptions): Promise<RunProgress>;

  /**
   * Goes on with a run that is paused or halted.
   *
   * `POST /push/campaign/{id}/run/resume`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated only where it was certainly not done.
   */
  resume(id: number, request?: WhichRun, options?: CallOptions): Promise<RunProgress>;

  /**
   * Ends a run; what is not sent yet is skipped.
   *
   * `POST /push/campaign/{id}/run/cancel`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated only where it was certainly not done.
   */
  cancel(id: number, request?: WhichRun, options?: CallOptions): Promise<RunProgress>;

  /**
   * Lets the rest of the audience follow a canary.
   *
   * `POST /push/campaign/{id}/run/approve`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated only where it was certainly not done.
   */
  approve(id: number, request?: WhichRun, options?: CallOptions): Promise<RunProgress>;

  /**
   * Changes how fast a run is sent.
   *
   * `POST /push/campaign/{id}/run/rate`. Takes an API key, or a user of the console, with the scope campaigns:send or admin. Repeated only where it was certainly not done.
   */
  setRate(id: number, request: SetRunRate, options?: CallOptions): Promise<RunProgress>;

  /**
   * Lists the devices of a run by what came of them.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /push/campaign/{id}/run/devices`. Takes an API key, or a user of the console, with the scope campaigns or campaigns:send or read or admin.
   */
  devices(
    id: number,
    query?: RunsDevicesQuery,
    options?: CallOptions,
  ): Paged<RunDevice, RunsDevicesAnswer>;
}

function createRuns(http: Http): Runs {
  return {
    get: (id, query, options) =>
      http.call(
        { method: 'GET', path: `/push/campaign/${segment(id)}/run`, repeat: 'safe', query },
        options,
      ),
    timeline: (id, query, options) =>
      http.call(
        {
          method: 'GET',
          path: `/push/campaign/${segment(id)}/run/timeline`,
          repeat: 'safe',
          query,
        },
        options,
      ),
    list: (id, query, options) =>
      pagesByNumber(
        http,
        { method: 'GET', path: `/push/campaign/${segment(id)}/run/list`, repeat: 'safe', query },
        (page: RunsListAnswer) => page.runs,
        options,
      ),
    events: (id, query, options) =>
      followRun(
        http,
        { method: 'GET', path: `/push/campaign/${segment(id)}/run/events`, repeat: 'safe', query },
        options,
      ),
    pause: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/${segment(id)}/run/pause`,
          repeat: 'once',
          request,
        },
        options,
      ),
    resume: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/${segment(id)}/run/resume`,
          repeat: 'once',
          request,
        },
        options,
      ),
    cancel: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/${segment(id)}/run/cancel`,
          repeat: 'once',
          request,
        },
        options,
      ),
    approve: (id, request, options) =>
      http.call(
        {
          method: 'POST',
          path: `/push/campaign/${segment(id)}/run/approve`,
          repeat: 'once',
          request,
        },
        options,
      ),
    setRate: (id, request, options) =>
      http.call(
        { method: 'POST', path: `/push/campaign/${segment(id)}/run/rate`, repeat: 'once', request },
        options,
      ),
    devices: (id, query, options) =>
      pagesByCursor(
        http,
        { method: 'GET', path: `/push/campaign/${segment(id)}/run/devices`, repeat: 'safe', query },
        {
          parameter: 'after',
          size: 'size',
          items: (page: RunsDevicesAnswer) => page.devices,
          next: (page: RunsDevicesAnswer) => page.next,
        },
        options,
      ),
  };
}

/** Messages that an app shows inside itself. */
export interface Inbox {
  /**
   * Stores a message in a user's inbox; nothing is pushed.
   *
   * `POST /inbox/messages`. Takes an API key, or a user of the console, with the scope send or admin. Repeated under its Idempotency-Key where no answer came, and done once.
   */
  post(request: PostInboxMessage, options?: KeyedOptions): Promise<InboxMessage>;

  /**
   * Lists a user's messages, the newest first.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /inbox/messages/list`. Takes an API key, or a user of the console, with the scope send or read or admin.
   */
  list(
    query: InboxListQuery,
    options?: CallOptions,
  ): Paged<(readonly InboxMessageSummary[])[number], readonly InboxMessageSummary[]>;

  /**
   * Counts what a user has not read in an application.
   *
   * `GET /inbox/messages/count`. Takes an API key, or a user of the console, with the scope send or read or admin.
   */
  countUnread(query: InboxCountUnreadQuery, options?: CallOptions): Promise<InboxCountUnreadAnswer>;

  /**
   * One message.
   *
   * `GET /inbox/messages/detail`. Takes an API key, or a user of the console, with the scope send or read or admin.
   */
  get(query: InboxGetQuery, options?: CallOptions): Promise<InboxMessage>;

  /**
   * Marks a message as read.
   *
   * `POST /inbox/messages/read`. Takes an API key, or a user of the console, with the scope send or admin. Repeated where no answer came.
   */
  markRead(request: ReadInboxMessage, options?: CallOptions): Promise<InboxMessage>;

  /**
   * Marks as read what a user has not read in an application.
   *
   * `POST /inbox/messages/read-all`. Takes an API key, or a user of the console, with the scope send or admin. Repeated only where it was certainly not done.
   */
  markAllRead(request: ReadAllInboxMessages, options?: CallOptions): Promise<void>;

  /**
   * Tells a user's new messages as they come.
   *
   * Connects again by itself, for as long as it is gone through; rejects when it is refused.
   *
   * `GET /inbox/messages/stream`. Takes an API key, or a user of the console, with the scope send or read or admin.
   */
  stream(query: InboxStreamQuery, options?: InboxStreamOptions): AsyncIterable<InboxEvent>;
}

function createInbox(http: Http): Inbox {
  return {
    post: (request, options) =>
      http.call({ method: 'POST', path: '/inbox/messages', repeat: 'keyed', request }, options),
    list: (query, options) =>
      pagesByNumber(
        http,
        { method: 'GET', path: '/inbox/messages/list', repeat: 'safe', query },
        (page: readonly InboxMessageSummary[]) => page,
        options,
      ),
    countUnread: (query, options) =>
      http.call({ method: 'GET', path: '/inbox/messages/count', repeat: 'safe', query }, options),
    get: (query, options) =>
      http.call({ method: 'GET', path: '/inbox/messages/detail', repeat: 'safe', query }, options),
    markRead: (request, options) =>
      http.call({ method: 'POST', path: '/inbox/messages/read', repeat: 'safe', request }, options),
    markAllRead: (request, options) =>
      http.call(
        { method: 'POST', path: '/inbox/messages/read-all', repeat: 'once', request },
        options,
      ),
    stream: (query, options) =>
      followInbox(
        http,
        { method: 'GET', path: '/inbox/messages/stream', repeat: 'safe', query },
        options,
      ),
  };
}

/** Signed calls that tell what happened, and the same events to fetch. */
export interface Callbacks {
  /**
   * The events that callbacks are told, behind a cursor or from the oldest one on.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /push/callback/events`. Takes an API key, or a user of the console, with the scope read or admin.
   */
  events(
    query?: CallbacksEventsQuery,
    options?: CallOptions,
  ): Paged<CallbackEvent, CallbacksEventsAnswer>;

  /**
   * Has outcomes POSTed to a URL from now on.
   *
   * `POST /admin/app/callback/create`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  create(request: CreateCallback, options?: CallOptions): Promise<CallbacksCreateAnswer>;

  /**
   * Lists the callbacks of an application and its developer keys.
   *
   * `GET /admin/app/callback/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(query: CallbacksListQuery, options?: CallOptions): Promise<CallbacksListAnswer>;

  /**
   * Tells a callback nothing more.
   *
   * `POST /admin/app/callback/delete`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  delete(request: DeleteCallback, options?: CallOptions): Promise<void>;

  /**
   * Makes a new secret for a callback.
   *
   * `POST /admin/app/callback/rotate`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  rotate(request: RotateCallback, options?: CallOptions): Promise<CallbacksRotateAnswer>;

  /**
   * Sends a ping to a callback, and to the others of the same owner.
   *
   * `POST /admin/app/callback/test`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  test(request: TestCallback, options?: CallOptions): Promise<void>;

  /**
   * Tries a callback again at once; with `after`, from that cursor on, with `since`, from that instant on.
   *
   * `POST /admin/app/callback/resume`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  resume(request: ResumeCallback, options?: CallOptions): Promise<void>;

  /**
   * The latest 100 requests to a callback, the latest first.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /admin/app/callback/calls`. Takes an API key, or a user of the console, with the scope admin.
   */
  calls(
    query: CallbacksCallsQuery,
    options?: CallOptions,
  ): Paged<CallbackCall, CallbacksCallsAnswer>;

  /**
   * Makes a request to a callback again, with the same events.
   *
   * `POST /admin/app/callback/resend`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  resend(request: ResendCallbackCall, options?: CallOptions): Promise<CallbacksResendAnswer>;
}

function createCallbacks(http: Http): Callbacks {
  return {
    events: (query, options) =>
      pagesByCursor(
        http,
        { method: 'GET', path: '/push/callback/events', repeat: 'safe', query },
        {
          parameter: 'after',
          size: 'limit',
          items: (page: CallbacksEventsAnswer) => page.events,
          next: (page: CallbacksEventsAnswer) => page.cursor,
        },
        options,
      ),
    create: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/create', repeat: 'once', request },
        options,
      ),
    list: (query, options) =>
      http.call(
        { method: 'GET', path: '/admin/app/callback/list', repeat: 'safe', query },
        options,
      ),
    delete: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/delete', repeat: 'safe', request },
        options,
      ),
    rotate: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/rotate', repeat: 'once', request },
        options,
      ),
    test: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/test', repeat: 'once', request },
        options,
      ),
    resume: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/resume', repeat: 'once', request },
        options,
      ),
    calls: (query, options) =>
      pagesByCursor(
        http,
        { method: 'GET', path: '/admin/app/callback/calls', repeat: 'safe', query },
        {
          parameter: 'after',
          size: 'size',
          items: (page: CallbacksCallsAnswer) => page.calls,
          next: (page: CallbacksCallsAnswer) => page.next,
        },
        options,
      ),
    resend: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/callback/resend', repeat: 'once', request },
        options,
      ),
  };
}

/** Applications and their credentials at APNs, FCM and customers’ proxies. */
export interface Apps {
  /**
   * Lists all applications.
   *
   * `GET /admin/app/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(options?: CallOptions): Promise<AppsListAnswer>;

  /**
   * Lists applications that have no credential.
   *
   * `GET /admin/app/unconfigured/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  listUnconfigured(options?: CallOptions): Promise<AppsListUnconfiguredAnswer>;

  /**
   * One application, with the public part of its credentials where asked for.
   *
   * `POST /admin/app/detail`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  get(request: GetApplication, options?: CallOptions): Promise<ApplicationDetail>;

  /**
   * Makes an application known; its credentials come later.
   *
   * `POST /admin/app/create`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  create(request: CreateApplication, options?: CallOptions): Promise<AppsCreateAnswer>;

  /**
   * Replaces the APNs credential.
   *
   * `POST /admin/app/ios/update`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  updateIos(request: UpdateIos, query?: AppsUpdateIosQuery, options?: CallOptions): Promise<void>;

  /**
   * Removes the APNs credential.
   *
   * `POST /admin/app/ios/remove`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeIos(request: NamedApplication, options?: CallOptions): Promise<void>;

  /**
   * Replaces the FCM credential.
   *
   * `POST /admin/app/android/update`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  updateAndroid(
    request: UpdateAndroid,
    query?: AppsUpdateAndroidQuery,
    options?: CallOptions,
  ): Promise<void>;

  /**
   * Removes the FCM credential.
   *
   * `POST /admin/app/android/remove`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeAndroid(request: NamedApplication, options?: CallOptions): Promise<void>;

  /**
   * Replaces the APNs credential.
   *
   * `POST /admin/app/apns`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  saveApns(request: UpdateApns, query?: AppsSaveApnsQuery, options?: CallOptions): Promise<void>;

  /**
   * Removes the APNs credential.
   *
   * `DELETE /admin/app/apns`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeApns(query: AppsRemoveApnsQuery, options?: CallOptions): Promise<void>;

  /**
   * Replaces the APNs credential with a certificate, which is checked.
   *
   * `POST /admin/app/apns/certificate`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  saveApnsCertificate(
    request: UpdateApnsCertificate,
    query?: AppsSaveApnsCertificateQuery,
    options?: CallOptions,
  ): Promise<void>;

  /**
   * Replaces the FCM credential.
   *
   * `POST /admin/app/fcm`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  saveFcm(request: UpdateFcm, query?: AppsSaveFcmQuery, options?: CallOptions): Promise<void>;

  /**
   * Removes the FCM credential.
   *
   * `DELETE /admin/app/fcm`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeFcm(query: AppsRemoveFcmQuery, options?: CallOptions): Promise<void>;

  /**
   * Sends a platform's pushes by the customer's proxy; the certificate is checked.
   *
   * `POST /admin/app/proxy`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  saveProxy(request: SaveProxy, query?: AppsSaveProxyQuery, options?: CallOptions): Promise<void>;

  /**
   * Removes a customer's proxy; the application's own credential is in use again.
   *
   * `DELETE /admin/app/proxy`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeProxy(query: AppsRemoveProxyQuery, options?: CallOptions): Promise<void>;
}

function createApps(http: Http): Apps {
  return {
    list: (options) =>
      http.call({ method: 'GET', path: '/admin/app/list', repeat: 'safe' }, options),
    listUnconfigured: (options) =>
      http.call({ method: 'GET', path: '/admin/app/unconfigured/list', repeat: 'safe' }, options),
    get: (request, options) =>
      http.call({ method: 'POST', path: '/admin/app/detail', repeat: 'safe', request }, options),
    create: (request, options) =>
      http.call({ method: 'POST', path: '/admin/app/create', repeat: 'once', request }, options),
    updateIos: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/ios/update', repeat: 'safe', request, query },
        options,
      ),
    removeIos: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/ios/remove', repeat: 'safe', request },
        options,
      ),
    updateAndroid: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/android/update', repeat: 'safe', request, query },
        options,
      ),
    removeAndroid: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/android/remove', repeat: 'safe', request },
        options,
      ),
    saveApns: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/apns', repeat: 'safe', request, query },
        options,
      ),
    removeApns: (query, options) =>
      http.call({ method: 'DELETE', path: '/admin/app/apns', repeat: 'safe', query }, options),
    saveApnsCertificate: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/apns/certificate', repeat: 'safe', request, query },
        options,
      ),
    saveFcm: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/fcm', repeat: 'safe', request, query },
        options,
      ),
    removeFcm: (query, options) =>
      http.call({ method: 'DELETE', path: '/admin/app/fcm', repeat: 'safe', query }, options),
    saveProxy: (request, query, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/proxy', repeat: 'safe', request, query },
        options,
      ),
    removeProxy: (query, options) =>
      http.call({ method: 'DELETE', path: '/admin/app/proxy', repeat: 'safe', query }, options),
  };
}

/** Keys of those who sign their pushes (M800). */
export interface DeveloperKeys {
  /**
   * Makes a developer key for signed requests (M800).
   *
   * `POST /admin/app/developer-key/create`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  create(request: CreateDeveloperKey, options?: CallOptions): Promise<CreatedDeveloperKey>;

  /**
   * Lists the developer keys of an application, without their secrets.
   *
   * `GET /admin/app/developer-key/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(query: DeveloperKeysListQuery, options?: CallOptions): Promise<DeveloperKeysListAnswer>;

  /**
   * Takes no more requests of a developer key, within a second or two.
   *
   * `POST /admin/app/developer-key/disable`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  disable(request: NamedDeveloperKey, options?: CallOptions): Promise<void>;

  /**
   * Takes requests of a developer key again.
   *
   * `POST /admin/app/developer-key/enable`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  enable(request: NamedDeveloperKey, options?: CallOptions): Promise<void>;

  /**
   * Gives a developer key a new secret.
   *
   * `POST /admin/app/developer-key/rotate`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  rotate(request: RotateDeveloperKey, options?: CallOptions): Promise<RotatedDeveloperKey>;
}

function createDeveloperKeys(http: Http): DeveloperKeys {
  return {
    create: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/developer-key/create', repeat: 'once', request },
        options,
      ),
    list: (query, options) =>
      http.call(
        { method: 'GET', path: '/admin/app/developer-key/list', repeat: 'safe', query },
        options,
      ),
    disable: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/developer-key/disable', repeat: 'safe', request },
        options,
      ),
    enable: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/developer-key/enable', repeat: 'safe', request },
        options,
      ),
    rotate: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/developer-key/rotate', repeat: 'once', request },
        options,
      ),
  };
}

/** Brands that hand over pushes. */
export interface LivePerson {
  /**
   * Lets a brand hand over pushes for an application, or changes how it shows who it is.
   *
   * `POST /admin/app/liveperson`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  saveSender(
    request: SaveLivePersonSender,
    options?: CallOptions,
  ): Promise<LivePersonSaveSenderAnswer>;

  /**
   * Lists who may hand over pushes.
   *
   * `GET /admin/app/liveperson/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  listSenders(
    query?: LivePersonListSendersQuery,
    options?: CallOptions,
  ): Promise<LivePersonListSendersAnswer>;

  /**
   * Takes no more pushes of the brand for the application.
   *
   * `POST /admin/app/liveperson/remove`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeSender(request: LivePersonSenderName, options?: CallOptions): Promise<void>;

  /**
   * Knows the sender by this certificate no more.
   *
   * `POST /admin/app/liveperson/certificate/remove`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  removeCertificate(request: LivePersonCertificateName, options?: CallOptions): Promise<void>;
}

function createLivePerson(http: Http): LivePerson {
  return {
    saveSender: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/liveperson', repeat: 'safe', request },
        options,
      ),
    listSenders: (query, options) =>
      http.call(
        { method: 'GET', path: '/admin/app/liveperson/list', repeat: 'safe', query },
        options,
      ),
    removeSender: (request, options) =>
      http.call(
        { method: 'POST', path: '/admin/app/liveperson/remove', repeat: 'safe', request },
        options,
      ),
    removeCertificate: (request, options) =>
      http.call(
        {
          method: 'POST',
          path: '/admin/app/liveperson/certificate/remove',
          repeat: 'safe',
          request,
        },
        options,
      ),
  };
}

/** Keys of this API. */
export interface ApiKeys {
  /**
   * Makes an API key, for one application or for all.
   *
   * `POST /admin/key/create`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  create(request: CreateApiKey, options?: CallOptions): Promise<CreatedApiKey>;

  /**
   * Lists the API keys, without their secrets.
   *
   * `GET /admin/key/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(query?: ApiKeysListQuery, options?: CallOptions): Promise<ApiKeysListAnswer>;

  /**
   * Takes no more requests with an API key, within a second or two; for good.
   *
   * `POST /admin/key/revoke`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  revoke(request: RevokeApiKey, options?: CallOptions): Promise<void>;
}

function createApiKeys(http: Http): ApiKeys {
  return {
    create: (request, options) =>
      http.call({ method: 'POST', path: '/admin/key/create', repeat: 'once', request }, options),
    list: (query, options) =>
      http.call({ method: 'GET', path: '/admin/key/list', repeat: 'safe', query }, options),
    revoke: (request, options) =>
      http.call({ method: 'POST', path: '/admin/key/revoke', repeat: 'safe', request }, options),
  };
}

/** What was done by whom. */
export interface Audit {
  /**
   * What was done by those who administrate and control, the latest first.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /admin/audit/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(query?: AuditListQuery, options?: CallOptions): Paged<AuditEntry, AuditListAnswer>;
}

function createAudit(http: Http): Audit {
  return {
    list: (query, options) =>
      pagesByCursor(
        http,
        { method: 'GET', path: '/admin/audit/list', repeat: 'safe', query },
        {
          parameter: 'before',
          size: 'limit',
          items: (page: AuditListAnswer) => page.entries,
          next: (page: AuditListAnswer) => page.cursor,
        },
        options,
      ),
  };
}

/** Certificates that are stored, and their ends. */
export interface Certificates {
  /**
   * Lists the certificates that are stored, the first to end first.
   *
   * Pages are fetched as they are needed.
   *
   * `GET /admin/certificate/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(
    query?: CertificatesListQuery,
    options?: CallOptions,
  ): Paged<StoredCertificate, CertificatesListAnswer>;
}

function createCertificates(http: Http): Certificates {
  return {
    list: (query, options) =>
      pagesByNumber(
        http,
        { method: 'GET', path: '/admin/certificate/list', repeat: 'safe', query },
        (page: CertificatesListAnswer) => page.certificateList,
        options,
      ),
  };
}

/** What is stopped, and why. */
export interface Pauses {
  /**
   * Lists what is stopped, and why.
   *
   * `GET /admin/pause/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(options?: CallOptions): Promise<PausesListAnswer>;

  /**
   * Lets the messages of a pause go again.
   *
   * `POST /admin/pause/resume`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  resume(request: ResumePause, options?: CallOptions): Promise<void>;
}

function createPauses(http: Http): Pauses {
  return {
    list: (options) =>
      http.call({ method: 'GET', path: '/admin/pause/list', repeat: 'safe' }, options),
    resume: (request, options) =>
      http.call({ method: 'POST', path: '/admin/pause/resume', repeat: 'once', request }, options),
  };
}

/** Token faults that are held back. */
export interface Guard {
  /**
   * Lists the token faults that the guard holds back.
   *
   * `GET /admin/guard/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(options?: CallOptions): Promise<GuardListAnswer>;

  /**
   * The tokens really are invalid: deactivates their devices.
   *
   * `POST /admin/guard/apply`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  apply(request: HeldScope, options?: CallOptions): Promise<GuardApplyAnswer>;

  /**
   * The configuration was at fault: the devices stay as they are.
   *
   * `POST /admin/guard/discard`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  discard(request: HeldScope, options?: CallOptions): Promise<GuardDiscardAnswer>;
}

function createGuard(http: Http): Guard {
  return {
    list: (options) =>
      http.call({ method: 'GET', path: '/admin/guard/list', repeat: 'safe' }, options),
    apply: (request, options) =>
      http.call({ method: 'POST', path: '/admin/guard/apply', repeat: 'once', request }, options),
    discard: (request, options) =>
      http.call({ method: 'POST', path: '/admin/guard/discard', repeat: 'once', request }, options),
  };
}

/** Everything that is kept about a user. */
export interface Users {
  /**
   * Everything that is kept about a user, in one application or in all.
   *
   * `POST /admin/user/export`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  export(request: ExportUser, options?: CallOptions): Promise<UsersExportAnswer>;

  /**
   * Forgets a user, in one application or in all. It can not be undone.
   *
   * `POST /admin/user/erase`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  erase(request: EraseUser, options?: CallOptions): Promise<UsersEraseAnswer>;
}

function createUsers(http: Http): Users {
  return {
    export: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/export', repeat: 'safe', request }, options),
    erase: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/erase', repeat: 'once', request }, options),
  };
}

/** Those who may sign in to the console. */
export interface ConsoleUsers {
  /**
   * Makes a user of the console, for one application or for all.
   *
   * `POST /admin/user/create`. Takes an API key, or a user of the console, with the scope admin. Repeated only where it was certainly not done.
   */
  create(request: CreateConsoleUser, options?: CallOptions): Promise<ConsoleUsersCreateAnswer>;

  /**
   * Users of the console by their names, of all applications or of one.
   *
   * `GET /admin/user/list`. Takes an API key, or a user of the console, with the scope admin.
   */
  list(query?: ConsoleUsersListQuery, options?: CallOptions): Promise<ConsoleUsersListAnswer>;

  /**
   * Gives a user of the console another role; the sessions of the user end.
   *
   * `POST /admin/user/role`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  setRole(request: SetConsoleUserRole, options?: CallOptions): Promise<void>;

  /**
   * Gives a user of the console another password; the sessions of the user end.
   *
   * `POST /admin/user/password`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  setPassword(
    request: SetConsoleUserPassword,
    options?: CallOptions,
  ): Promise<ConsoleUsersSetPasswordAnswer>;

  /**
   * Lets a user of the console sign in no more; the sessions of the user end.
   *
   * `POST /admin/user/disable`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  disable(request: OfConsoleUser, options?: CallOptions): Promise<void>;

  /**
   * Lets a user of the console that was disabled sign in again.
   *
   * `POST /admin/user/enable`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  enable(request: OfConsoleUser, options?: CallOptions): Promise<void>;

  /**
   * Removes a user of the console with all sessions; the audit log still names the user.
   *
   * `POST /admin/user/remove`. Takes an API key, or a user of the console, with the scope admin. Repeated where no answer came.
   */
  remove(request: OfConsoleUser, options?: CallOptions): Promise<void>;
}

function createConsoleUsers(http: Http): ConsoleUsers {
  return {
    create: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/create', repeat: 'once', request }, options),
    list: (query, options) =>
      http.call({ method: 'GET', path: '/admin/user/list', repeat: 'safe', query }, options),
    setRole: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/role', repeat: 'safe', request }, options),
    setPassword: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/password', repeat: 'safe', request }, options),
    disable: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/disable', repeat: 'safe', request }, options),
    enable: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/enable', repeat: 'safe', request }, options),
    remove: (request, options) =>
      http.call({ method: 'POST', path: '/admin/user/remove', repeat: 'safe', request }, options),
  };
}

/** All endpoints of the API. */
export interface Endpoints {
  /** The server itself. */
  readonly service: Service;
  /** Messages to single users, and what became of them. */
  readonly messages: Messages;
  /** Where is my push? */
  readonly deliveries: Deliveries;
  /** What failed for good, and how to send it again. */
  readonly failures: Failures;
  /** What goes on at present. */
  readonly overview: Overview;
  /** Installations of apps and their push tokens. */
  readonly devices: Devices;
  /** One message for many users. */
  readonly campaigns: Campaigns;
  /** Sendings of campaigns: their progress and their control. */
  readonly runs: Runs;
  /** Messages that an app shows inside itself. */
  readonly inbox: Inbox;
  /** Signed calls that tell what happened, and the same events to fetch. */
  readonly callbacks: Callbacks;
  /** Applications and their credentials at APNs, FCM and customers’ proxies. */
  readonly apps: Apps;
  /** Keys of those who sign their pushes (M800). */
  readonly developerKeys: DeveloperKeys;
  /** Brands that hand over pushes. */
  readonly livePerson: LivePerson;
  /** Keys of this API. */
  readonly apiKeys: ApiKeys;
  /** What was done by whom. */
  readonly audit: Audit;
  /** Certificates that are stored, and their ends. */
  readonly certificates: Certificates;
  /** What is stopped, and why. */
  readonly pauses: Pauses;
  /** Token faults that are held back. */
  readonly guard: Guard;
  /** Everything that is kept about a user. */
  readonly users: Users;
  /** Those who may sign in to the console. */
  readonly consoleUsers: ConsoleUsers;
}

export function createEndpoints(http: Http): Endpoints {
  return {
    service: createService(http),
    messages: createMessages(http),
    deliveries: createDeliveries(http),
    failures: createFailures(http),
    overview: createOverview(http),
    devices: createDevices(http),
    campaigns: createCampaigns(http),
    runs: createRuns(http),
    inbox: createInbox(http),
    callbacks: createCallbacks(http),
    apps: createApps(http),
    developerKeys: createDeveloperKeys(http),
    livePerson: createLivePerson(http),
    apiKeys: createApiKeys(http),
    audit: createAudit(http),
    certificates: createCertificates(http),
    pauses: createPauses(http),
    guard: createGuard(http),
    users: createUsers(http),
    consoleUsers: createConsoleUsers(http),
  };
}
