import type { EndpointDoc } from '../../http/endpoint.ts';
import * as apiKey from './api-key-endpoints.ts';
import * as app from './app-endpoints.ts';
import { LIST_AUDIT } from './audit-endpoints.ts';
import * as callback from './callback-endpoints.ts';
import * as campaign from './campaign-endpoints.ts';
import { LIST_CERTIFICATES } from './certificate-endpoints.ts';
import * as consoleUser from './console-user-endpoints.ts';
import * as control from './control-endpoints.ts';
import * as credential from './credential-endpoints.ts';
import * as developerKey from './developer-key-endpoints.ts';
import * as device from './device-endpoints.ts';
import * as failure from './failure-endpoints.ts';
import * as livePerson from './liveperson-endpoints.ts';
import * as inbox from './inbox-endpoints.ts';
import * as message from './message-endpoints.ts';
import { GET_MESSAGE } from './message-status-endpoints.ts';
import { GET_OVERVIEW } from './overview-endpoints.ts';
import * as pruning from './pruning-endpoints.ts';
import * as proxy from './proxy-endpoints.ts';
import * as run from './run-endpoints.ts';
import * as service from './service-endpoints.ts';
import * as trace from './trace-endpoints.ts';
import * as user from './user-endpoints.ts';

/** Every endpoint of this surface, in the order of the OpenAPI document. */
export const ENDPOINTS: readonly EndpointDoc[] = [
  service.SERVICE_STATUS,
  device.CREATE_DEVICE,
  device.CREATE_DEVICE_MULTI,
  device.DELETE_DEVICE,
  device.UPDATE_STATUS,
  message.SEND_MESSAGE,
  message.SEND_BATCH,
  GET_MESSAGE,
  trace.LIST_DELIVERIES,
  campaign.CREATE_CAMPAIGN,
  campaign.DELETE_CAMPAIGN,
  campaign.GET_CAMPAIGN,
  campaign.LIST_CAMPAIGNS,
  campaign.PREVIEW_CAMPAIGN,
  campaign.ADD_USERS,
  campaign.ADD_ALL_USERS,
  campaign.COUNT_USERS,
  campaign.LIST_USERS,
  campaign.REMOVE_USERS,
  campaign.SEND_TEST,
  run.SEND_LIVE,
  run.GET_RUN,
  run.GET_RUN_TIMELINE,
  run.LIST_RUNS,
  run.WATCH_RUN,
  run.PAUSE_RUN,
  run.RESUME_RUN,
  run.CANCEL_RUN,
  run.APPROVE_RUN,
  run.SET_RUN_RATE,
  trace.LIST_RUN_DEVICES,
  failure.LIST_FAILURES,
  failure.LIST_FAILED,
  failure.REPLAY_FAILED,
  inbox.POST_MESSAGE,
  inbox.LIST_MESSAGES,
  inbox.COUNT_UNREAD,
  inbox.GET_MESSAGE,
  inbox.READ_MESSAGE,
  inbox.READ_MESSAGE_BY_QUERY,
  inbox.READ_ALL,
  inbox.READ_ALL_BY_QUERY,
  inbox.WATCH_INBOX,
  app.LIST_APPS,
  app.LIST_UNCONFIGURED_APPS,
  app.GET_APP,
  app.CREATE_APP,
  credential.UPDATE_IOS,
  credential.REMOVE_IOS,
  credential.UPDATE_ANDROID,
  credential.REMOVE_ANDROID,
  credential.UPDATE_APNS,
  credential.UPDATE_APNS_CERTIFICATE,
  credential.REMOVE_APNS,
  credential.UPDATE_FCM,
  credential.REMOVE_FCM,
  proxy.SAVE_PROXY,
  proxy.REMOVE_PROXY,
  credential.UPDATE_HMS,
  credential.UPDATE_HUAWEI,
  credential.REMOVE_HUAWEI,
  developerKey.CREATE_DEVELOPER_KEY,
  developerKey.LIST_DEVELOPER_KEYS,
  developerKey.DISABLE_DEVELOPER_KEY,
  developerKey.ENABLE_DEVELOPER_KEY,
  developerKey.ROTATE_DEVELOPER_KEY,
  apiKey.CREATE_API_KEY,
  apiKey.LIST_API_KEYS,
  apiKey.REVOKE_API_KEY,
  consoleUser.CREATE_CONSOLE_USER,
  consoleUser.LIST_CONSOLE_USERS,
  consoleUser.SET_CONSOLE_USER_ROLE,
  consoleUser.SET_CONSOLE_USER_PASSWORD,
  consoleUser.DISABLE_CONSOLE_USER,
  consoleUser.ENABLE_CONSOLE_USER,
  consoleUser.REMOVE_CONSOLE_USER,
  LIST_AUDIT,
  livePerson.SAVE_SENDER,
  livePerson.LIST_SENDERS,
  livePerson.REMOVE_SENDER,
  livePerson.REMOVE_SENDER_CERTIFICATE,
  LIST_CERTIFICATES,
  GET_OVERVIEW,
  control.LIST_PAUSES,
  control.RESUME_PAUSE,
  control.LIST_HELD_FAULTS,
  control.APPLY_HELD_FAULTS,
  control.DISCARD_HELD_FAULTS,
  control.RESTORE_DEVICE,
  pruning.LIST_PRUNINGS,
  pruning.RESTORE_DEVICES,
  pruning.LIST_HELD_STALE,
  pruning.APPROVE_HELD_STALE,
  user.EXPORT_USER,
  user.ERASE_USER,
  callback.CREATE_CALLBACK,
  callback.LIST_CALLBACKS,
  callback.DELETE_CALLBACK,
  callback.ROTATE_CALLBACK,
  callback.TEST_CALLBACK,
  callback.RESUME_CALLBACK,
  callback.LIST_CALLBACK_CALLS,
  callback.RESEND_CALLBACK_CALL,
  callback.LIST_CALLBACK_EVENTS,
];
