import { Refusal, type Environment, type Provider } from '@heliograph/core';
import {
  findActivationOwners,
  findAppRef,
  type Activation,
  type Db,
  type DeviceRegistration,
} from '@heliograph/db';

import type { Caller } from '../access/caller.ts';
import type { ActivationDirectory } from '../activations/activation-directory.ts';

export interface DeviceDeps {
  readonly db: Db;
  readonly activations: ActivationDirectory;
}

/** What a caller registers, for one activation or several. */
export interface NewDevice {
  readonly appId: string;
  readonly pushToken: string;
  readonly provider: Provider;
  /** Which host of APNs the token works on; the credential's where it says nothing. */
  readonly environment?: Environment;
  /** Binds the activations to this user, where the directory is our own. */
  readonly userId?: string;
}

/** Whether the caller may have the activation's device: those who are bound to an app take none away from another. Belongs into `inRegistration`. */
export async function isFree(
  tx: Db,
  { app }: Pick<Caller, 'app'>,
  activationId: string,
): Promise<boolean> {
  if (app === null) return true;
  const owners = await findActivationOwners(tx, activationId);
  return owners.every((ref) => ref === app.ref);
}

/** Refuses an app that does not exist. Apps are never deleted, so the answer stays true. */
export async function getAppRef(db: Db, appId: string): Promise<number> {
  const appRef = await findAppRef(db, appId);
  if (appRef === undefined)
    throw new Refusal('invalid_request', `There is no application ${appId}.`);
  return appRef;
}

export function toRegistration(
  device: NewDevice,
  appRef: number,
  activationId: string,
  activation: Activation,
): DeviceRegistration {
  return {
    appRef,
    activationId,
    userId: activation.userId,
    provider: device.provider,
    // FCM has no such split; a leftover of it would only confuse.
    environment: device.provider === 'apns' ? (device.environment ?? null) : null,
    pushToken: device.pushToken,
    activationActive: activation.status === 'ACTIVE',
  };
}
