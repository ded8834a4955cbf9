export { APNS_CLIENTS, type ApnsClientName } from './apns/providers.ts';
export {
  PRODUCTION_ENDPOINTS,
  type ApnsCertificateCredential,
  type ApnsCredential,
  type ApnsKeyCredential,
  type Credential,
  type DirectCredential,
  type FcmCredential,
  type ProviderEndpoints,
  type ProxyCredential,
} from './credential.ts';
export { feedBySends } from './feed-by-sends.ts';
export type { FcmMapping } from './fcm/payload.ts';
export { createProviderPool, type ProviderPool, type ProviderPoolDeps } from './provider-pool.ts';
export type { Attempt, ProviderLog, Push, PushFeed, PushProvider } from './push-provider.ts';
export type { ConnectLimits } from './session-pool/connect-budget.ts';
export type { StoredText, TokenStore } from './tokens/token-store.ts';
