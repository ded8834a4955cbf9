import type { PushClient } from '../app-provider.ts';
import type { Attempt, Push } from '../push-provider.ts';
import type { PreparedPush } from './prepared.ts';

/** A push whose token can stand in a path, and its message made ready. */
export interface ApnsPushRequest {
  readonly token: string;
  readonly deliveryId: string;
  readonly prepared: PreparedPush;
}

/** What an app's push becomes before it is sent, or what came of it without asking APNs. */
export type ToApnsRequest = (push: Push) => ApnsPushRequest | Attempt;

/** The way to one host of APNs under one identity; the apps of a team share it. */
export type ApnsClient = PushClient<ToApnsRequest>;
