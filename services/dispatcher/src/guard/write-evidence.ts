import {
  BLOCKED,
  noteAnswers,
  noteDeviceAnswers,
  noteTokenFaults,
  type AnswerCount,
  type CredentialScope,
  type Db,
  type RefusedDevice,
  type TokenFault,
} from '@heliograph/db';

import { askGuard, type GuardDeps } from './ask-guard.ts';
import type { DeviceAnswerFold } from './device-answers.ts';

/** What providers said of a scope since it was written last. */
export interface Gathered {
  readonly scope: CredentialScope;
  answers: number;
  wrongPlace: number;
  dead: number;
  trouble: number;
  readonly faults: TokenFault[];
  /** What a customer's proxy said of devices; undefined where it said nothing. */
  devices: DeviceAnswerFold | undefined;
  /** A device among them was noted as faulty. */
  blocked: boolean;
  /** A run of one refusal that pauses the app when it gets long. */
  pauseReason: string | undefined;
}

/**
 * Where everybody is refused only every third answer blocks a device, less than the guard's half of few answers. Counted twice they pass
 * it, and those of some among many do not.
 */
const BLOCKED_COUNTS = 2;

/** Writes what was gathered, and asks the guard about scopes with faulty tokens. */
export async function writeEvidence(deps: GuardDeps, entries: readonly Gathered[]): Promise<void> {
  await noteDevices(deps.db, entries);
  const counts: AnswerCount[] = entries.map(({ scope, answers, wrongPlace, dead, trouble }) => ({
    scope,
    answers,
    wrongPlace,
    dead,
    trouble,
  }));
  await noteAnswers(deps.db, counts);
  await noteTokenFaults(
    deps.db,
    entries.flatMap((entry) => entry.faults),
  );
  for (const { scope, faults, blocked, pauseReason } of entries) {
    // Now and not only when they are ripe: by then a minute of good answers has passed over what a provider said in a bad one.
    if (faults.length > 0 || blocked) await askGuard(deps, scope);
    if (pauseReason !== undefined) await deps.pauses.open(scope, 'app', pauseReason);
  }
}

/**
 * A device that its proxy refused again and again is a faulty token like others: a proxy that refuses everybody must not empty the
 * registry.
 */
async function noteDevices(db: Db, entries: readonly Gathered[]): Promise<void> {
  const answers = entries.flatMap((entry) => entry.devices?.list() ?? []);
  // Almost always: one statement, and mostly on an empty table.
  if (answers.every(({ refused }) => refused === undefined))
    return void (await noteDeviceAnswers(db, answers));

  const entryOf = new Map(
    entries.flatMap((entry) =>
      (entry.devices?.list() ?? []).map(({ deviceId }) => [deviceId, entry] as const),
    ),
  );
  const noted = await db.transaction().execute(async (tx) => {
    const refused = await noteDeviceAnswers(tx, answers);
    return noteTokenFaults(
      tx,
      refused.flatMap((device) => toFault(entryOf.get(device.deviceId)?.scope, device)),
    );
  });
  for (const deviceId of noted) {
    const entry = entryOf.get(deviceId);
    if (entry === undefined) continue;
    entry.wrongPlace += BLOCKED_COUNTS;
    entry.blocked = true;
  }
}

function toFault(
  scope: CredentialScope | undefined,
  { deviceId, pushTokenHash, refusedAt }: RefusedDevice,
): TokenFault[] {
  if (scope === undefined) return [];
  const token = { deviceId, pushTokenHash, invalidSince: refusedAt };
  return [{ scope, ...token, reason: BLOCKED, kind: 'wrong_place' }];
}
