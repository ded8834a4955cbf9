import { ACTIVATION_STATUSES } from '@heliograph/db';
import { Type } from '@sinclair/typebox';

import { isRecord } from '../../http/reader.ts';
import { taking, takingBare } from './envelope.ts';
import {
  ActivationId,
  AppId,
  EnvironmentName,
  oneOf,
  optional,
  Platform,
  PushToken,
  UserId,
} from './fields.ts';

const tag = 'Device';

/** A device has a few activations; each costs a look-up and a row. */
const MAX_ACTIVATIONS = 200;

const NewDevice = {
  appId: AppId,
  token: PushToken,
  platform: Platform,
  environment: optional(EnvironmentName),
  userId: optional(UserId),
};

export const CREATE_DEVICE = taking(
  Type.Object({ ...NewDevice, activationId: ActivationId }, { title: 'CreateDevice' }),
  {
    tag,
    scope: ['devices'],
    summary: 'Registers a push token for one activation',
    methods: ['post'],
    paths: ['/push/device/create'],
  },
);

export const CREATE_DEVICE_MULTI = taking(
  Type.Object(
    {
      ...NewDevice,
      activationIds: Type.Array(ActivationId, { minItems: 1, maxItems: MAX_ACTIVATIONS }),
    },
    { title: 'CreateDeviceMulti' },
  ),
  {
    tag,
    scope: ['devices'],
    summary: 'Registers a push token for several activations',
    methods: ['post'],
    paths: ['/push/device/create/multi'],
  },
);

export const DELETE_DEVICE = taking(
  Type.Object({ appId: AppId, token: PushToken }, { title: 'DeleteDevice' }),
  {
    tag,
    scope: ['devices'],
    summary: 'Deletes all devices of an application with this push token',
    methods: ['post', 'delete'],
    paths: ['/push/device/delete', '/push/device/remove'],
  },
);

/** PowerAuth Server calls this back without the usual `requestObject`; both forms are taken. */
export const UPDATE_STATUS = takingBare(
  Type.Object(
    { activationId: ActivationId, activationStatus: optional(oneOf(ACTIVATION_STATUSES)) },
    { title: 'UpdateDeviceStatus' },
  ),
  {
    tag,
    scope: ['devices'],
    summary: 'Tells the status of an activation; without one, the activation directory is asked',
    methods: ['post', 'put'],
    paths: ['/push/device/status/update'],
  },
  (body) => (isRecord(body) && isRecord(body['requestObject']) ? body['requestObject'] : body),
);
