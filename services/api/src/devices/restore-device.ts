import { Refusal } from '@heliograph/core';
import { hashPushToken, restoreDevice as restoreToken, type Db } from '@heliograph/db';

import { getAppRef } from './device-deps.ts';

/** Takes back that a push token was deactivated. Answers how many devices of the app have it back; refuses where none had lost it. */
export async function restoreDevice(
  deps: { readonly db: Db },
  device: { readonly appId: string; readonly pushToken: string },
): Promise<number> {
  const appRef = await getAppRef(deps.db, device.appId);
  const restored = await restoreToken(deps.db, appRef, hashPushToken(device.pushToken));
  if (restored === 0)
    throw new Refusal('invalid_request', 'No device with this token is deactivated.');
  return restored;
}
