import type { SandboxCredentials } from '../sandbox.ts';

/** Those that are compared; `heliograph` is our transport, `engine` our whole provider for APNs on it. */
export type ClientKind =
  'heliograph' | 'engine' | 'http2' | 'node-apn' | 'undici' | ProxyClientKind;

/** `proxy` is our whole provider for customers' proxies, `undici-agent` what it stands on, with nothing around it. */
export type ProxyClientKind = 'proxy' | 'undici-agent';

/** What all pushes of a client have in common. */
export interface PushTarget {
  readonly url: string;
  readonly caFile: string;
  readonly credentials: SandboxCredentials['apns'];
  /** Those of a message, as APNs wants them; the client adds `authorization` and `apns-id`. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON */
  readonly body: string;
  /** How many pushes are under way at once; no server here allows fewer streams. */
  readonly inFlight: number;
}

/** One way of sending pushes: to APNs over one connection, which is open, or to a proxy. */
export interface PushClient {
  /** Takes the push, and calls `onStatus` once with the answer's status, or 0 where there was none; false: there is no room for it now. */
  send(pushToken: string, apnsId: string, onStatus: (status: number) => void): boolean;
  /** Called when there may be room again. */
  onRoom: () => void;
  close(): unknown;
}

export type OpenClient = (target: PushTarget) => Promise<PushClient>;
