import type { DeviceAnswers, Refused } from '@heliograph/db';

/** More of one device's refusals are not looked at. */
const MAX_TIMES = 3;

/** Gathers what a customer's proxy says of devices, each device's answers in their order. */
export class DeviceAnswerFold {
  readonly #devices = new Map<number, DeviceAnswers>();

  /** The proxy took a push that was about to be sent at that time. */
  addTaken(deviceId: number, takenAt: Date): void {
    this.#devices.set(deviceId, { deviceId, takenAt, refused: undefined });
  }

  addRefused(deviceId: number, pushTokenHash: Buffer, refusedAt: Date): void {
    const { takenAt, refused } = this.#devices.get(deviceId) ?? {};
    const at = [...timesOf(pushTokenHash, refused), refusedAt].slice(-MAX_TIMES);
    this.#devices.set(deviceId, { deviceId, takenAt, refused: { pushTokenHash, at } });
  }

  list(): readonly DeviceAnswers[] {
    return [...this.#devices.values()];
  }
}

/** A device with another push token starts anew. */
function timesOf(pushTokenHash: Buffer, refused: Refused | undefined): readonly Date[] {
  return refused?.pushTokenHash.equals(pushTokenHash) === true ? refused.at : [];
}
