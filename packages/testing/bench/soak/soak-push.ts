import type { Environment, PushMessage } from '@heliograph/core';
import type { Push } from '@heliograph/providers';

const ID_HEAD = '00000000-0000-4000-8000-';
const ID_DIGITS = 12;
const TOKEN_DIGITS = 64;

/** A push that knows its number, which its `apns-id` says, and how often it went before, which its token does. */
export class SoakPush implements Push {
  readonly number: number;
  readonly deliveryId: string;
  readonly message: PushMessage;
  readonly environment: Environment = 'production';
  #requeues = 0;

  constructor(number: number, message: PushMessage) {
    this.number = number;
    this.deliveryId = toApnsId(number);
    this.message = message;
  }

  get requeues(): number {
    return this.#requeues;
  }

  get pushToken(): string {
    return toPushToken(this.number, this.#requeues);
  }

  /** It was not processed, and goes again. */
  noteRequeue(): void {
    this.#requeues += 1;
  }
}

export function toApnsId(number: number): string {
  return `${ID_HEAD}${number.toString(16).padStart(ID_DIGITS, '0')}`;
}

/** The number of the push. Throws where it is none of ours. */
export function parseApnsId(apnsId: unknown): number {
  if (typeof apnsId !== 'string' || !apnsId.startsWith(ID_HEAD))
    throw new Error(`${String(apnsId)} is not the id of a push`);
  return Number.parseInt(apnsId.slice(ID_HEAD.length), 16);
}

/** 64 digits, as of a device; the last one says which attempt it is, from 0 on. */
export function toPushToken(number: number, attempt: number): string {
  return `${number.toString(16)}${attempt.toString(16)}`.padStart(TOKEN_DIGITS, '0');
}

/** Which attempt it is, from the path of the request. */
export function parseAttempt(path: unknown): number {
  return Number.parseInt(String(path).slice(-1), 16);
}
