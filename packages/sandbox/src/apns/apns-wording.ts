import { randomUUID } from 'node:crypto';
import type { Refuse } from '../answers/answer.ts';
import type { Wording } from '../answers/play-answer.ts';
import type { ApnsEnvironment } from '../credentials/apns-key.ts';
import type { HttpAnswer } from '../transport/exchange.ts';
import { statusOfReason } from './apns-reasons.ts';

/** How APNs words its answers: 200 has no body, a refusal has a `reason`, and 410 a `timestamp` in ms. */
export function createApnsWording(environment: ApnsEnvironment, apnsId: string): Wording {
  return {
    accept: () => ({ status: 200, headers: answerHeaders(environment, apnsId) }),
    refuse: (refusal) => toHttp(refusal, answerHeaders(environment, apnsId)),
  };
}

function answerHeaders(environment: ApnsEnvironment, apnsId: string): Record<string, string> {
  if (environment === 'production') return { 'apns-id': apnsId };
  // The key for the delivery log in Apple's console.
  return { 'apns-id': apnsId, 'apns-unique-id': randomUUID() };
}

function toHttp(refusal: Refuse, headers: Record<string, string>): HttpAnswer {
  const status = refusal.status ?? statusOfReason(refusal.reason);
  const { reason, timestampAgeMs = status === 410 ? 0 : null } = refusal;
  const timestamp = timestampAgeMs === null ? undefined : Date.now() - timestampAgeMs;
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ reason, timestamp }),
  };
}
