import { isUuid, Refusal } from '@heliograph/core';
import type { Db } from '@heliograph/db';

import { listRunDevices } from '../../campaigns/list-run-devices.ts';
import type { DeviceDelivery } from '../../deliveries/device-delivery.ts';
import { findFcmDelivery } from '../../deliveries/find-fcm-delivery.ts';
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
  type SearchedAnswer,
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
      const key = toKey(input);
      if ('fcmMessageId' in key) return searchFcm(deps, key.fcmMessageId, appId);
      const found = await traceDeliveries(deps, { key, appId, lane, size });
      return { deliveries: found.map(toTraced) };
    }),
  ];
}

/** Refuses none, and more than one: nobody could say what both of them mean together. */
function toKey({
  userId,
  deviceId,
  activationId,
  deliveryId,
  messageId,
  providerMessageId,
}: TraceInput): TraceKey | FcmKey {
  const [key, ...others]: (TraceKey | FcmKey)[] = [
    ...(userId === undefined ? [] : [{ userId }]),
    ...(deviceId === undefined ? [] : [{ deviceId }]),
    ...(activationId === undefined ? [] : [{ activationId }]),
    ...(deliveryId === undefined ? [] : [{ deliveryId }]),
    ...(messageId === undefined ? [] : [{ messageId }]),
    ...(providerMessageId === undefined ? [] : [toProviderKey(providerMessageId)]),
  ];
  if (key === undefined || others.length > 0)
    throw new Refusal(
      'invalid_request',
      'Give exactly one of userId, deviceId, activationId, deliveryId, messageId and providerMessageId.',
    );
  return key;
}

interface FcmKey {
  readonly fcmMessageId: string;
}

/** APNs calls a push as we do: by the id of its delivery. */
function toProviderKey(id: string): TraceKey | FcmKey {
  return isUuid(id) ? { deliveryId: id } : { fcmMessageId: id };
}

async function searchFcm(
  deps: { readonly db: Db },
  fcmMessageId: string,
  appId: string | undefined,
): Promise<{ deliveries: TracedDeliveryAnswer[]; searched: SearchedAnswer }> {
  const { delivery, from, until } = await findFcmDelivery(deps, fcmMessageId, appId);
  return {
    deliveries: delivery === undefined ? [] : [toTraced(delivery)],
    searched: {
      acceptedFrom: toWireDate(from),
      acceptedUntil: toWireDate(until),
      campaigns: false,
    },
  };
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
