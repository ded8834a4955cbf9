import { Refusal } from '@heliograph/core';
import { deleteDevices } from '@heliograph/db';

import { OF_ACTIVATION, ofApp } from '../../access/subject.ts';
import { updateActivationStatus } from '../../activations/update-activation-status.ts';
import type { DeviceDeps } from '../../devices/device-deps.ts';
import { registerDeviceForActivations } from '../../devices/register-device-for-activations.ts';
import { registerDevice } from '../../devices/register-device.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { originOf } from '../../http/request-span.ts';
import {
  CREATE_DEVICE,
  CREATE_DEVICE_MULTI,
  DELETE_DEVICE,
  UPDATE_STATUS,
} from './device-endpoints.ts';
import { toProvider } from './fields.ts';

export interface DeviceRouteDeps extends DeviceDeps {
  /** Whether one token may be registered for several activations at once. */
  readonly multipleActivations: boolean;
}

export function deviceRoutes(deps: DeviceRouteDeps): readonly Route[] {
  return [
    route(CREATE_DEVICE, ofApp(), async ({ token, platform, ...device }, { caller, res }) => {
      const provider = toProvider(platform);
      const registered = { ...device, pushToken: token, provider };
      await registerDevice(deps, caller, registered, originOf(res));
    }),

    route(CREATE_DEVICE_MULTI, ofApp(), async ({ token, platform, ...device }, { caller, res }) => {
      if (!deps.multipleActivations)
        throw new Refusal(
          'invalid_request',
          'Registration for several activations is switched off.',
        );
      // The original's rule, to the letter: not even `ios` may name an environment here.
      if (device.environment !== undefined && platform !== 'apns')
        throw new Refusal('invalid_request', 'Only platform apns has an environment.');
      const provider = toProvider(platform);
      const registered = { ...device, pushToken: token, provider };
      await registerDeviceForActivations(deps, caller, registered, originOf(res));
    }),

    route(DELETE_DEVICE, ofApp(), async ({ appId, token }) => {
      await deleteDevices(deps.db, appId, token);
    }),

    route(UPDATE_STATUS, OF_ACTIVATION, ({ activationId, activationStatus }, { res }) =>
      updateActivationStatus(deps, activationId, activationStatus, originOf(res)),
    ),
  ];
}
