import { APNS_ANSWERS } from './apns/answers.ts';
import { FCM_ANSWERS } from './fcm/answers.ts';

/** The words that providers are documented to give as their reasons. */
export const PROVIDER_REASONS: readonly string[] = [
  ...new Set([
    ...APNS_ANSWERS.flatMap(({ reason }) => reason ?? []),
    ...FCM_ANSWERS.flatMap(({ by, code }) => (by === 'http' ? [] : [code])),
  ]),
].toSorted();
