import { Refusal } from '@heliograph/core';
import { inRegistration, saveDevice } from '@heliograph/db';

import type { Caller } from '../access/caller.ts';
import type { RequestOrigin } from '../origin.ts';
import {
  getAppRef,
  isFree,
  toRegistration,
  type DeviceDeps,
  type NewDevice,
} from './device-deps.ts';

/**
 * Registers a device for one activation; see `saveDevice` for which row that becomes. Refuses an unknown app, a removed activation,
 * another app's one from a caller who is bound to an app, and a token that several activations share.
 */
export async function registerDevice(
  deps: DeviceDeps,
  caller: Pick<Caller, 'app'>,
  { activationId, ...device }: NewDevice & { readonly activationId: string },
  origin: RequestOrigin,
): Promise<void> {
  const appRef = await getAppRef(deps.db, device.appId);
  const found = await deps.activations.find(activationId, origin);
  const scope = { pushToken: device.pushToken, activationIds: [activationId] };
  await inRegistration(deps.db, scope, async (tx) => {
    const enrolment = { activationId, userId: device.userId };
    const activation = (await isFree(tx, caller, activationId))
      ? await deps.activations.enrol(tx, enrolment, found)
      : undefined;
    if (activation === undefined || activation.status === 'REMOVED')
      throw new Refusal('invalid_request', 'The activation is not active.');

    const registration = toRegistration(device, appRef, activationId, activation);
    const id = await saveDevice(tx, registration, { kind: 'refuse' });
    if (id === undefined)
      throw new Refusal(
        'invalid_request',
        'Several activations share this token; register it for all of them at once.',
      );
  });
}
