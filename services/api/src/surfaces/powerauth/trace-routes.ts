import { Refusal } from '@heliograph/core';
import type { Db } from '@heliograph/db';

import { listRunDevices } from '../../campaigns/list-run-devices.ts';
import type { DeviceDelivery } from '../../deliveries/device-delivery.ts';
import {
  traceDeliveries,
  type TracedDelivery,
  type TraceKey,
} from '../../deliveries/trace-deliveries.ts';
import { ofAppIfNamed, ofCampaign } from '../../access/subject.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { toProvider, toWireAppId } from './fields.ts';
import { toWireDelivery } from './message-routes.ts';
import {
  DEFAULT_DELIVERIES,
  DEFAULT_DEVICES,
  LIST_DELIVERIES,
  LIST_RUN_DEVICES,
  type RunDeviceAnswer,
  type TracedDeliveryAnswer,
  type TraceInput,
} from './trace-endpoints.ts';

/** What came of a push: at the devices of a run, or wherever a user's or a device's pushes went. */
export function traceRoutes(deps: { readonly db: Db }): readonly Route[] {
  return [
    route(LIST_RUN_DEVICES, ofCampaign(), async ({ id, input }) => {
      const { platform, size = DEFAULT_DEVICES, ...rest } = input;
      const provider = platform === undefined ? undefined : toProvider(platform);
      const page = await listRunDevices(deps, id, { ...rest, provider, size });
      return { campaignId: id, ...page, devices: page.devices.map(toRunDevice) };
    }),

    route(LIST_DELIVERIES, ofAppIfNamed(), async (input, { caller }) => {
      const { appId = caller.app?.appId, lane, size = DEFAULT_DELIVERIES } = input;
      const found = await traceDeliveries(deps, { key: toKey(input), appId, lane, size });
      return { deliveries: found.map(toTraced) };
    }),
  ];
}

/** Refuses none, and more than one: nobody could say what both of them mean together. */
function toKey({ userId, deviceId, activationId, deliveryId }: TraceInput): TraceKey {
  const [key, ...others]: TraceKey[] = [
    ...(userId === undefined ? [] : [{ userId }]),
    ...(deviceId === undefined ? [] : [{ deviceId }]),
    ...(activationId === undefined ? [] : [{ activationId }]),
    ...(deliveryId === undefined ? [] : [{ deliveryId }]),
  ];
  if (key === undefined || others.length > 0)
    throw new Refusal(
      'invalid_request',
      'Give exactly one of userId, deviceId, activationId and deliveryId.',
    );
  return key;
}

function toRunDevice(delivery: DeviceDelivery): RunDeviceAnswer {
  const { id, ...rest } = toWireDelivery(delivery);
  return { deliveryId: id, ...rest };
}

export function toTraced(delivery: TracedDelivery): TracedDeliveryAnswer {
  const { id, appId, createdAt, ...rest } = toWireDelivery(delivery);
  return {
    deliveryId: id,
    appId: toWireAppId(appId),
    createdAt: toWireDate(createdAt),
    ...rest,
  };
}
