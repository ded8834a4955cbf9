import type { Environment, PushMessage } from '@heliograph/core';
import {
  claimMovedToken,
  type ClaimedChunk,
  type Db,
  type OwedChunk,
  type OwedDevice,
  type PlainDevices,
} from '@heliograph/db';

import type { ChunkProgress } from './chunk-progress.ts';
import { ChunkTodo } from './chunk-push.ts';
import type { ChunkWaits } from './chunk-waits.ts';
import { toLastWord, toUntried } from './exceptions.ts';
import { gateDevice, type DeviceGate } from './gate-device.ts';

export interface ChunkPlanDeps {
  readonly db: Db;
  readonly chunk: ClaimedChunk;
  readonly message: PushMessage;
  readonly progress: ChunkProgress;
  readonly waits: ChunkWaits;
  /** The whole audience is frozen. */
  readonly isMaterialised: () => boolean;
}

/** Where nothing can be sent for want of a credential, we look again after that. */
export const CREDENTIAL_WAIT_MS = 60_000;
/** Until the audience is frozen nobody knows whether a device's new token belongs to another one in it. */
const FREEZE_WAIT_MS = 1_000;

/** Decides about all that is owed of a chunk before any provider is asked; answers what is to be sent, by host. */
export async function planChunk(
  deps: ChunkPlanDeps,
  { special, plain, waiting }: OwedChunk,
): Promise<readonly ChunkTodo[]> {
  for (const [index, until] of waiting) deps.waits.waitUntil(index, until);
  const plan = new ChunkPlan(deps);
  for (const device of special) await plan.add(device);
  for (const devices of plain) plan.addPlain(devices);
  return plan.todos;
}

class ChunkPlan {
  readonly #deps: ChunkPlanDeps;
  readonly #todos = new Map<Environment | '', ChunkTodo>();
  /** Pauses that a delivery of this chunk tries out: one at a time. */
  readonly #probed = new Set<number>();

  constructor(deps: ChunkPlanDeps) {
    this.#deps = deps;
  }

  get todos(): readonly ChunkTodo[] {
    return [...this.#todos.values()];
  }

  async add(device: OwedDevice): Promise<void> {
    const gate = gateDevice(device, this.#deps.chunk);
    if (gate.action !== 'ask_for_token') return this.#decide(device, gate);
    const { environment } = gate;
    if (!this.#deps.isMaterialised()) this.#deps.waits.wait(device.index, FREEZE_WAIT_MS);
    else if (await this.#mayHaveToken(device)) this.#toTodo(environment).add(device);
    else this.#decide(device, { action: 'skip', reason: 'token_in_audience' });
  }

  /** What is decided about one of them goes for all: they differ in nothing but their tokens. */
  addPlain(devices: PlainDevices): void {
    if (devices.indexes.length === 0) return;
    const gate = gateDevice(devices.toDevice(0), this.#deps.chunk);
    if (gate.action === 'send' && gate.probeOf === undefined)
      return this.#toTodo(gate.environment).addPlain(devices);
    for (const n of devices.indexes.keys()) this.#decide(devices.toDevice(n), gate);
  }

  #decide(device: OwedDevice, gate: DeviceGate): void {
    const { progress, waits } = this.#deps;
    const { index } = device;
    switch (gate.action) {
      case 'skip':
        return progress.finish(
          index,
          'skipped',
          gate.reason,
          toUntried(device, 'skipped', gate.reason),
        );
      case 'expire':
        return progress.finish(index, 'expired', 'expired', toLastWord(device, 'expired'));
      case 'hold':
        return waits.hold(index, gate.pauseId);
      case 'await_credential':
        return waits.wait(index, CREDENTIAL_WAIT_MS);
      case 'ask_for_token':
        return waits.wait(index, FREEZE_WAIT_MS);
      case 'send':
        return this.#send(device, gate.environment, gate.probeOf);
    }
  }

  #send(device: OwedDevice, environment: Environment | '', probeOf: number | undefined): void {
    if (probeOf === undefined) return this.#toTodo(environment).add(device);
    if (this.#probed.has(probeOf)) return this.#deps.waits.hold(device.index, probeOf);
    this.#probed.add(probeOf);
    this.#toTodo(environment).add(device, probeOf);
  }

  async #mayHaveToken({ deviceId, pushToken }: OwedDevice): Promise<boolean> {
    if (pushToken === null) return false;
    const { runId, provider } = this.#deps.chunk;
    return claimMovedToken(this.#deps.db, { runId, provider, deviceId, pushToken });
  }

  #toTodo(environment: Environment | ''): ChunkTodo {
    const kept = this.#todos.get(environment);
    if (kept !== undefined) return kept;
    const made = new ChunkTodo(this.#deps.chunk, this.#deps.message, environment);
    this.#todos.set(environment, made);
    return made;
  }
}
