import { Refusal } from '@heliograph/core';
import { inRegistration, saveDevice, type Activation, type Db } from '@heliograph/db';

import type { Caller } from '../access/caller.ts';
import type { RequestOrigin } from '../origin.ts';
import {
  getAppRef,
  isFree,
  toRegistration,
  type DeviceDeps,
  type NewDevice,
} from './device-deps.ts';

/** So many activations are asked for at a time, where the directory is another server. */
const CONCURRENT_LOOKUPS = 8;

/**
 * Registers a device for several activations. One that cannot be registered does not keep the others from it: those are saved, and
 * then the request is refused.
 */
export async function registerDeviceForActivations(
  deps: DeviceDeps,
  caller: Pick<Caller, 'app'>,
  { activationIds, ...device }: NewDevice & { readonly activationIds: readonly string[] },
  origin: RequestOrigin,
): Promise<void> {
  const appRef = await getAppRef(deps.db, device.appId);
  const wanted = [...new Set(activationIds)];
  const found = await findAll(deps, wanted, origin);
  const answered = wanted.filter((activationId) => found.has(activationId));

  const scope = { pushToken: device.pushToken, activationIds: answered };
  const saved = await inRegistration(deps.db, scope, async (tx) => {
    const written = new Set<number>();
    for (const activationId of answered) {
      if (!(await isFree(tx, caller, activationId))) continue;
      const activation = await enrol(deps, tx, activationId, device.userId, found);
      if (activation.status === 'REMOVED') continue;
      const registration = toRegistration(device, appRef, activationId, activation);
      const id = await saveDevice(tx, registration, { kind: 'replace', written });
      if (id !== undefined) written.add(id);
    }
    return written.size;
  });
  if (saved < wanted.length)
    throw new Refusal(
      'invalid_request',
      `Of ${wanted.length} activations, ${wanted.length - saved} could not be registered; the others are.`,
    );
}

type Found = ReadonlyMap<string, Activation | undefined>;

function enrol(
  deps: DeviceDeps,
  tx: Db,
  activationId: string,
  userId: string | undefined,
  found: Found,
) {
  return deps.activations.enrol(tx, { activationId, userId }, found.get(activationId));
}

/** Leaves out those that the directory could not be asked about. */
async function findAll(
  deps: DeviceDeps,
  activationIds: readonly string[],
  origin: RequestOrigin,
): Promise<Found> {
  const found = new Map<string, Activation | undefined>();
  const left = activationIds.values();
  const lookUp = async () => {
    for (const activationId of left)
      try {
        found.set(activationId, await deps.activations.find(activationId, origin));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
  };
  await Promise.all(Array.from({ length: CONCURRENT_LOOKUPS }, lookUp));
  return found;
}
