import type { Answer, PushProvider, SandboxProvider } from './answers/answer.ts';
import type { ScriptTarget } from './answers/script-book.ts';
import type { CallbackSummary, ReceivedCallback } from './callbacks/callback-log.ts';
import type { ApnsCertificate, ApnsCertificateOptions } from './credentials/apns-certificate.ts';
import type { ApnsKey, ApnsKeyOptions } from './credentials/apns-key.ts';
import type {
  ClientCertificate,
  ClientCertificateOptions,
} from './credentials/client-certificate.ts';
import type { Credentials } from './credentials/credentials.ts';
import type { ServiceAccount } from './credentials/service-account.ts';
import type { ReceivedPush } from './recording/received-push.ts';
import type { ReceivedFilter, Totals } from './recording/recorder.ts';

export interface SandboxOptions {
  /** Where certificates and keys are kept over restarts; absent: in memory only. */
  readonly dir?: string;
  /** 0 or absent: a free port. */
  readonly apnsPort?: number;
  readonly apnsDevelopmentPort?: number;
  readonly fcmPort?: number;
  readonly proxyPort?: number;
  readonly proxyPagePort?: number;
  readonly callbackPort?: number;
  /** 0: a free port; absent: no control server. */
  readonly controlPort?: number;
  /** The bundle id of the APNs key in `credentials`. */
  readonly bundle?: string;
  /** The Firebase project of the service account in `credentials`. */
  readonly projectId?: string;
  /** Streams of an APNs connection after its first valid push (1 before); default 1000. */
  readonly maxConcurrentStreams?: number;
  /** Whether a second new provider token within 20 minutes on one connection is refused; default true. */
  readonly limitTokenUpdates?: boolean;
  /** Life of Google access tokens; default 3599. */
  readonly accessTokenSeconds?: number;
  /** Pushes kept in full; default 100,000. */
  readonly keep?: number;
  /** Milliseconds since the epoch: the clock that tokens are judged by. */
  readonly now?: () => number;
}

export interface Sandbox {
  readonly apnsUrl: string;
  readonly apnsDevelopmentUrl: string;
  readonly fcmUrl: string;
  readonly tokenUrl: string;
  /** A customer's proxy: the handshake fails without a good client certificate. Paths: `/push`, and `/2017/push` for
   *  the reference of 2017; below `/basic`, Basic is required. */
  readonly proxyUrl: string;
  /** The same, but without a good client certificate it answers 400 with a page, as nginx does; below `/basic` none is needed. */
  readonly proxyPageUrl: string;
  /** A customer's receiver of signed callbacks; any path will do. */
  readonly callbackUrl: string;
  readonly controlUrl: string | undefined;
  /** What clients must trust. */
  readonly caPem: string;
  readonly credentials: Credentials;
  addApnsKey(options?: ApnsKeyOptions): ApnsKey;
  /** Valid for both environments unless told otherwise. A push over a connection with it needs no provider token. */
  addApnsCertificate(options?: ApnsCertificateOptions): ApnsCertificate;
  addServiceAccount(projectId: string): Promise<ServiceAccount>;
  /** One that the proxies take, unless `days` is negative or it is `foreign`: of another authority. */
  addClientCertificate(
    options?: ClientCertificateOptions & { readonly foreign?: boolean },
  ): ClientCertificate;
  /** Makes every Google access token invalid. */
  revokeAccessTokens(): void;
  /** Puts down answers for pushes to a token, or to all tokens that begin so; a target can also name a topic or project. */
  script(
    provider: SandboxProvider,
    target: string | ScriptTarget,
    answers: readonly Answer[],
  ): void;
  clearScripts(): void;
  /** Oldest first, refused ones too; what has left the ring is not there. */
  received(filter?: ReceivedFilter): ReceivedPush[];
  totals(provider: PushProvider): Totals;
  /** Accepted pushes to one token, among the kept ones. */
  acceptedFor(token: string): number;
  /** Waits for `n` pushes of the filter, or for one that fits; rejects after `timeoutMs` (default 10 s). */
  waitFor(
    wanted: number | ((push: ReceivedPush) => boolean),
    options?: ReceivedFilter & { readonly timeoutMs?: number },
  ): Promise<ReceivedPush[]>;
  /** From now on callbacks signed with that key and secret are believed. */
  addCallbackKey(key: string, secret: string): void;
  /** What arrived with a key, checked for repeats and order. */
  callbacks(key: string): CallbackSummary;
  /** The last calls with a key, refused ones too, oldest first; an empty key for those that named none. */
  callbackCalls(key: string): ReceivedCallback[];
  /** Waits until what arrived with a key is as wished; rejects after `timeoutMs` (default 10 s). */
  waitForCallbacks(
    key: string,
    isEnough: (summary: CallbackSummary) => boolean,
    timeoutMs?: number,
  ): Promise<CallbackSummary>;
  /** Forgets what arrived, and which tokens had their fault. */
  clear(): void;
  /** Ends every connection at once. */
  close(): Promise<void>;
}
