export { APNS_ANSWERS, toApnsOutcome, type ApnsAnswer } from './apns/answers.ts';
export { FCM_ANSWERS, toFcmOutcome, type FcmAnswer } from './fcm/answers.ts';
export {
  PRODUCTION_ENDPOINTS,
  type ApnsCredential,
  type Credential,
  type FcmCredential,
  type ProviderEndpoints,
} from './credential.ts';
export type { FcmMapping } from './fcm/payload.ts';
export { findPayloadViolation, toPayloadBytes } from './payload-limits.ts';
export { createProviderPool, type ProviderPool, type ProviderPoolDeps } from './provider-pool.ts';
export type { Attempt, ProviderLog, Push, PushProvider } from './push-provider.ts';
export { InFlight } from './in-flight.ts';
