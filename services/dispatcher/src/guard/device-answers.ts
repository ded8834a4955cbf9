import type { DeviceAnswers, Refused } from '@heliograph/db';

/** Gathers what a customer's proxy says of devices, each device's answers in their order. */
export class DeviceAnswerFold {
  readonly #devices = new Map<number, DeviceAnswers>();

  /** The proxy took a push that was about to be sent at that time. */
  addTaken(deviceId: number, takenAt: Date): void {
    this.#devices.set(deviceId, { deviceId, takenAt, refused: undefined });
  }

  addRefused(deviceId: number, pushTokenHash: Buffer, lastAt: Date): void {
    const { takenAt, refused } = this.#devices.get(deviceId) ?? {};
    const times = 1 + timesOf(pushTokenHash, refused);
    this.#devices.set(deviceId, { deviceId, takenAt, refused: { pushTokenHash, times, lastAt } });
  }

  list(): readonly DeviceAnswers[] {
    return [...this.#devices.values()];
  }
}

/** A device with another push token starts anew. */
function timesOf(pushTokenHash: Buffer, refused: Refused | undefined): number {
  return refused?.pushTokenHash.equals(pushTokenHash) === true ? refused.times : 0;
}
