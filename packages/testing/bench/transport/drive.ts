import { randomUUID } from 'node:crypto';

import type { PushClient } from './push-client.ts';

export interface Drive {
  /** Stops after so many pushes. */
  readonly pushes?: number;
  /** Stops after so long. */
  readonly seconds?: number;
  readonly inFlight: number;
  /** They get pushes in turns. */
  readonly pushTokens: readonly string[];
}

export interface Driven {
  /** From the first push to the last answer. */
  readonly seconds: number;
  readonly accepted: number;
  /** Answered with something else than 200, or not at all. */
  readonly refused: number;
}

/** Keeps as many pushes under way as there is room for, each with an apns-id of its own; resolves when all are answered. */
export function drive(
  client: PushClient,
  { pushes = Number.POSITIVE_INFINITY, seconds, inFlight, pushTokens }: Drive,
): Promise<Driven> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let most = pushes;
    let sent = 0;
    let accepted = 0;
    let refused = 0;

    const onStatus = (status: number): void => {
      if (status === 200) accepted += 1;
      else refused += 1;
      if (sent < most) fill();
      else if (accepted + refused === sent) finish();
    };
    const fill = (): void => {
      while (sent < most && sent - accepted - refused < inFlight) {
        const pushToken = pushTokens[sent % pushTokens.length] ?? '';
        if (!client.send(pushToken, randomUUID(), onStatus)) return;
        sent += 1;
      }
    };
    const finish = (): void => {
      clearTimeout(timer);
      client.onRoom = () => undefined;
      resolve({ seconds: (performance.now() - startedAt) / 1000, accepted, refused });
    };
    const stop = (): void => {
      most = sent;
      if (accepted + refused === sent) finish();
    };
    const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
    client.onRoom = fill;
    fill();
  });
}
