import {
  isUuid,
  OUTCOME_CODES,
  Refusal,
  toRunDeliveryId,
  toRunPlace,
  type DeliveryState,
  type Provider,
} from '@heliograph/core';
import { listPlacesByOutcome, readRunDeliveries, type RunPlace } from '@heliograph/db';

import { toRunDevice, type DeviceDelivery } from '../deliveries/device-delivery.ts';
import type { CampaignDeps } from './campaign-deps.ts';
import { getRun } from './get-run.ts';

/** Which devices of a run are wanted. */
export interface RunDevicesQuery {
  /** Undefined: the run that `after` is from, else the campaign's latest one. */
  readonly runId?: string | undefined;
  /** Undefined: any where there is a reason, else those that failed. */
  readonly state?: DeliveryState | undefined;
  /** One of the catalogue. */
  readonly reason?: string | undefined;
  /** Undefined: both. */
  readonly provider?: Provider | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  readonly size: number;
}

export interface RunDevicesPage {
  readonly runId: string;
  /** In the order of the frozen audience. */
  readonly devices: readonly DeviceDelivery[];
  /** Null where this was the last page. */
  readonly next: string | null;
}

/** A page of the devices of a run that it came to this with. Refuses a run that is none of the campaign's, and one whose devices are forgotten. */
export async function listRunDevices(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  { runId, state, reason, provider, after, size }: RunDevicesQuery,
): Promise<RunDevicesPage> {
  const cursor = after === undefined ? undefined : parseCursor(after);
  const run = await getRun({ db }, campaignId, runId ?? cursor?.runId);
  if (cursor !== undefined && cursor.runId !== run.id) throw badCursor();
  if (run.devicesPurgedAt !== null)
    throw new Refusal('not_found', 'What became of the devices of this run is not kept any more.');

  const codes = toCodes(state, reason);
  const from = cursor === undefined ? 0 : cursor.ordinal + 1;
  const found = await listPlacesByOutcome(db, {
    runId: run.id,
    codes,
    provider,
    from,
    limit: size + 1,
  });
  const page = found.slice(0, size);
  const last = found.length > size ? page.at(-1) : undefined;
  const rows = await readRunDeliveries(db, page);
  return {
    runId: run.id,
    // What a dispatcher recorded between the two looks may not be what was asked for any more.
    devices: rows.filter((row) => codes.includes(row.code)).map(toRunDevice),
    next: last === undefined ? null : toRunDeliveryId(last.runId, last.ordinal),
  };
}

function toCodes(state: DeliveryState | undefined, reason: string | undefined): readonly number[] {
  const wanted = state ?? (reason === undefined ? 'failed' : undefined);
  return OUTCOME_CODES.filter(
    (entry) =>
      (wanted === undefined || entry.state === wanted) &&
      (reason === undefined || entry.reason === reason),
  ).map((entry) => entry.code);
}

/** It is the id of the last delivery of a page: so it names its run, and pages of one run stay such when there is a later one. */
function parseCursor(after: string): RunPlace {
  if (!isUuid(after)) throw badCursor();
  return toRunPlace(after.toLowerCase());
}

function badCursor(): Refusal {
  return new Refusal('invalid_request', 'after must be the next of the page before, of this run.');
}
