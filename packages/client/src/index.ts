export { createClient, type HeliographClient } from './client.ts';
export { HeliographError, type ClientErrorCode, type Violation } from './error.ts';
export type { Fetch } from './exchange.ts';
export type * from './generated/endpoints.ts';
export type * from './generated/schemas.ts';
export type {
  BasicAuth,
  CallOptions,
  ClientOptions,
  ConnectionOptions,
  KeyedOptions,
} from './http.ts';
export type { Paged } from './paged.ts';
export type { RetryLimits, RetryNotice } from './retry.ts';
export type { InboxEvent, InboxStreamOptions, StreamOptions } from './streams.ts';
