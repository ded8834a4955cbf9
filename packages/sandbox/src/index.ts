export { createSandbox } from './sandbox.ts';
export type { Sandbox, SandboxOptions } from './sandbox-contract.ts';
export {
  createAuthority,
  createServerCertificate,
  type Authority,
  type ServerCertificate,
} from './certificates/server-certificate.ts';
export { parseAnswer } from './answers/parse-answer.ts';
export type { Answer, PushProvider, SandboxProvider } from './answers/answer.ts';
export type { CallbackEvent, CallbackSummary, ReceivedCallback } from './callbacks/callback-log.ts';
export type { ScriptTarget } from './answers/script-book.ts';
export type { ApnsCertificate, ApnsCertificateOptions } from './credentials/apns-certificate.ts';
export type { ApnsEnvironment, ApnsKey, ApnsKeyOptions } from './credentials/apns-key.ts';
export type {
  ClientCertificate,
  ClientCertificateOptions,
} from './credentials/client-certificate.ts';
export type { Credentials } from './credentials/credentials.ts';
export type { ServiceAccount } from './credentials/service-account.ts';
export type { GivenAnswer } from './recording/given-answer.ts';
export type { ReceivedPush } from './recording/received-push.ts';
export type { ReceivedFilter, Totals } from './recording/recorder.ts';
