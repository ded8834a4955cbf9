import { toRunDeliveryId, type Environment, type PushMessage } from '@heliograph/core';
import {
  MAX_DELIVERIES_PER_CHUNK,
  type ClaimedChunk,
  type OwedDevice,
  type PlainDevices,
} from '@heliograph/db';
import type { Push } from '@heliograph/providers';

/** A delivery of a chunk on its way to the provider. */
export class ChunkPush implements Push {
  readonly deliveryId: string;
  readonly pushToken: string;
  readonly message: PushMessage;
  readonly environment: Environment;
  /** Its place in the chunk. */
  readonly index: number;
  /** The pause whose end this delivery tries out. */
  readonly probeOf: number | undefined;
  /** On the clock of `performance.now()`. */
  startedAtMs = 0;
  /** How often it was given back as not processed. */
  requeues = 0;
  readonly #source: OwedDevice | PlainDevices;
  readonly #n: number;

  constructor(todo: ChunkTodo, index: number, pushToken: string, from: PushSource) {
    const place = todo.chunk.ordinal * MAX_DELIVERIES_PER_CHUNK + index;
    this.deliveryId = toRunDeliveryId(todo.chunk.runId, place);
    this.pushToken = pushToken;
    this.message = todo.message;
    this.environment = todo.environment === '' ? 'production' : todo.environment;
    this.index = index;
    this.probeOf = from.probeOf;
    this.#source = from.source;
    this.#n = from.n ?? 0;
  }

  /** It was tried before: the ledger knows more of it than a byte. */
  get wasTried(): boolean {
    return 'history' in this.#source && this.#source.history !== null;
  }

  /** All about the device. Of most nobody asks. */
  toDevice(): OwedDevice {
    return 'toDevice' in this.#source ? this.#source.toDevice(this.#n) : this.#source;
  }
}

interface PushSource {
  readonly source: OwedDevice | PlainDevices;
  /** Its place among plain devices. */
  readonly n?: number;
  readonly probeOf?: number | undefined;
}

interface SpecialPush {
  readonly device: OwedDevice;
  readonly probeOf: number | undefined;
}

/** What is to be sent of a chunk to one host. Pushes are made one by one, when there is room for them. */
export class ChunkTodo {
  readonly chunk: Pick<ClaimedChunk, 'runId' | 'ordinal'>;
  readonly message: PushMessage;
  /** Which host of APNs; the empty string for FCM and for proxies. */
  readonly environment: Environment | '';
  readonly #special: SpecialPush[] = [];
  readonly #plain: PlainDevices[] = [];
  #nextSpecial = 0;
  #nextPlain = 0;

  constructor(
    chunk: Pick<ClaimedChunk, 'runId' | 'ordinal'>,
    message: PushMessage,
    environment: Environment | '',
  ) {
    this.chunk = chunk;
    this.message = message;
    this.environment = environment;
  }

  add(device: OwedDevice, probeOf?: number): void {
    this.#special.push({ device, probeOf });
  }

  addPlain(devices: PlainDevices): void {
    this.#plain.push(devices);
  }

  /** Whether `next` has no more. */
  get isEmpty(): boolean {
    return (
      this.#nextSpecial === this.#special.length &&
      this.#plain.every((group, n) => n === 0 && this.#nextPlain === group.pushTokens.length)
    );
  }

  /** Undefined where there are no more. */
  next(): ChunkPush | undefined {
    const special = this.#special[this.#nextSpecial];
    if (special !== undefined) {
      this.#nextSpecial += 1;
      const { device, probeOf } = special;
      return new ChunkPush(this, device.index, device.pushToken ?? '', { source: device, probeOf });
    }
    for (let group = this.#plain[0]; group !== undefined; group = this.#plain[0]) {
      const n = this.#nextPlain;
      const pushToken = group.pushTokens[n];
      if (pushToken !== undefined) {
        this.#nextPlain += 1;
        return new ChunkPush(this, group.indexes[n] ?? -1, pushToken, { source: group, n });
      }
      this.#plain.shift();
      this.#nextPlain = 0;
    }
    return undefined;
  }

  /** All that are left: nobody sends them. */
  drain(): ChunkPush[] {
    const rest: ChunkPush[] = [];
    for (let push = this.next(); push !== undefined; push = this.next()) rest.push(push);
    return rest;
  }
}
