import { Refusal, type SecretBox } from '@heliograph/core';
import {
  findCallbackEndpoint,
  findDeveloperKeyOwner,
  type CallbackEndpoint,
  type CallbackOwner,
  type Db,
} from '@heliograph/db';

import { getAppRef } from '../devices/device-deps.ts';

export interface CallbackDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly callbacks: {
    /** For tests, and for receivers in the same network. */
    readonly allowPrivateAddresses: boolean;
  };
}

/** Whose callbacks: an app's, or a developer key's. Where both are named, the key must be the app's. */
export interface OwnerName {
  readonly appId?: string | undefined;
  readonly developerKey?: string | undefined;
}

/** Refuses an owner that does not exist, or is not named. */
export async function getOwner(db: Db, { appId, developerKey }: OwnerName): Promise<CallbackOwner> {
  if (developerKey === undefined) {
    if (appId === undefined)
      throw new Refusal('invalid_request', 'An appId or a developerKey is missing.');
    return { appRef: await getAppRef(db, appId), developerKeyRef: 0 };
  }
  const owner = await findDeveloperKeyOwner(db, developerKey);
  if (owner === undefined || (appId !== undefined && (await getAppRef(db, appId)) !== owner.appRef))
    throw new Refusal('invalid_request', 'There is no such developer key.');
  return owner;
}

/** Refuses one that does not exist. */
export async function getCallback(db: Db, id: number): Promise<CallbackEndpoint> {
  const callback = await findCallbackEndpoint(db, id);
  return callback ?? noSuchCallback();
}

export function noSuchCallback(): never {
  throw new Refusal('invalid_request', 'There is no such callback.');
}
