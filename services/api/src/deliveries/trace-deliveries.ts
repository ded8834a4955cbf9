import { toMessageId, toRunPlace } from '@heliograph/core';
import {
  findMessageDelivery,
  findTracedDevice,
  listDevicePlaces,
  listMessageDeliveries,
  listUserDeliveries,
  listUserPlaces,
  readRunDeliveries,
  LANES,
  type Db,
  type DeliveryLane,
  type MessageDelivery,
  type RunDelivery,
  type TraceBounds,
} from '@heliograph/db';

import { getAppRef } from '../devices/device-deps.ts';
import { toMessageDevice, toRunDevice, type DeviceDelivery } from './device-delivery.ts';

/** What a delivery belongs to. */
export { LANES };
export type Lane = DeliveryLane;

/** Whose deliveries, or which one. */
export type TraceKey =
  | { readonly userId: string }
  | { readonly deviceId: number }
  | { readonly activationId: string }
  | { readonly deliveryId: string }
  | { readonly messageId: string };

export interface TraceQuery {
  readonly key: TraceKey;
  readonly appId?: string | undefined;
  /** Undefined: both. */
  readonly lane?: Lane | undefined;
  readonly size: number;
}

/** A delivery with what it belongs to. */
export type TracedDelivery = DeviceDelivery & {
  readonly appId: string;
  /** When its message was accepted, or its run started. */
  readonly createdAt: Date;
} & (
    | { readonly lane: 'message'; readonly messageId: string }
    | { readonly lane: 'campaign'; readonly campaignId: number; readonly runId: string }
  );

/**
 * The latest `size` deliveries of a user, a device or an activation, the one with that id (the
 * apns-id of a push), or those of a message. Of a device that
 * is gone there are those of campaigns. Refuses an app that does not exist.
 */
export async function traceDeliveries(
  { db }: { readonly db: Db },
  { key, appId, lane, size }: TraceQuery,
): Promise<readonly TracedDelivery[]> {
  const appRef = appId === undefined ? undefined : await getAppRef(db, appId);
  const [messages, runs] = await findLanes(db, key, { appRef, limit: size });
  const [sent, ran] = await Promise.all([
    lane === 'campaign' ? [] : messages(),
    lane === 'message' ? [] : runs(),
  ]);
  return [...sent.map(ofMessage), ...ran.map(ofRun)]
    .filter((delivery) => appId === undefined || delivery.appId === appId)
    .toSorted(byAge)
    .slice(0, size);
}

/** How to read each lane. */
type Lanes = readonly [
  messages: () => Promise<readonly MessageDelivery[]>,
  runs: () => Promise<readonly RunDelivery[]>,
];
const nothing = () => Promise.resolve([]);

async function findLanes(db: Db, key: TraceKey, bounds: TraceBounds): Promise<Lanes> {
  if ('messageId' in key)
    return [
      () => listMessageDeliveries(db, toMessageId(key.messageId.toLowerCase()), bounds.limit),
      nothing,
    ];
  if ('deliveryId' in key) return ofDelivery(db, key.deliveryId.toLowerCase());
  if ('userId' in key)
    return [
      () => listUserDeliveries(db, key, bounds),
      async () => readRunDeliveries(db, await listUserPlaces(db, key.userId, bounds)),
    ];

  const device = await findTracedDevice(db, key);
  const deviceId = 'deviceId' in key ? key.deviceId : device?.id;
  if (deviceId === undefined) return [nothing, nothing];
  const userId = device?.userId ?? null;
  const inApp = { ...bounds, appRef: bounds.appRef ?? device?.appRef };
  return [
    userId === null ? nothing : () => listUserDeliveries(db, { userId, deviceId }, bounds),
    async () => readRunDeliveries(db, await listDevicePlaces(db, deviceId, inApp)),
  ];
}

function ofDelivery(db: Db, id: string): Lanes {
  return [
    async () => {
      const delivery = await findMessageDelivery(db, id);
      return delivery === undefined ? [] : [delivery];
    },
    async () => {
      const place = toRunPlace(id);
      return place.ordinal < 0 ? [] : readRunDeliveries(db, [place]);
    },
  ];
}

export function ofMessage(row: MessageDelivery): TracedDelivery {
  const { messageId, appId, createdAt } = row;
  return { lane: 'message', messageId, appId, createdAt, ...toMessageDevice(row) };
}

export function ofRun(row: RunDelivery): TracedDelivery {
  const { campaignId, runId, appId, createdAt } = row;
  return { lane: 'campaign', campaignId, runId, appId, createdAt, ...toRunDevice(row) };
}

/** The latest first; what came at once, in the order of the ids. */
function byAge(a: TracedDelivery, b: TracedDelivery): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1);
}
