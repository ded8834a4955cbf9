/** `proxy`: a customer's proxy. `callback`: a customer's receiver of callbacks. */
export type SandboxProvider = 'apns' | 'fcm' | 'google-token' | 'proxy' | 'callback';

/** Those that get pushes. */
export type PushProvider = 'apns' | 'fcm' | 'proxy';

/** HTTP/2 error codes by their names in RFC 9113, section 7. */
export const RESET_CODES = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
} as const;

export type ResetCode = keyof typeof RESET_CODES;

/** `answer`: this and the open ones are answered, then the connection closes. `refuse`: this one and later ones
 *  are provably unprocessed. `drop`: the connection closes, this one counts as processed and gets no answer. */
export const GOAWAY_STREAMS = ['answer', 'refuse', 'drop'] as const;

interface RetryAfter {
  readonly retryAfterSeconds?: number;
  /** As an HTTP date in place of seconds. */
  readonly retryAfterAsDate?: boolean;
}

export interface Accept {
  readonly kind: 'accept';
}

/** The provider's own refusal, with its documented status and body. */
export interface Refuse extends RetryAfter {
  readonly kind: 'refuse';
  /** APNs: its reason. FCM and the token endpoint: a name from the tables of the README. Unknown ones are sent as they are. */
  readonly reason: string;
  /** Default: the documented one; for an unknown reason 400. */
  readonly status?: number;
  /** APNs 410: how long before now the token died, in ms (default 0; negative: in the future); null leaves the field out. */
  readonly timestampAgeMs?: number | null;
}

/** An answer of whoever stands in between: an HTML 502 of a load balancer. */
export interface Raw extends RetryAfter {
  readonly kind: 'raw';
  readonly status: number;
  readonly body?: string;
  /** Default `text/html`. */
  readonly contentType?: string;
}

/** What a client can meet. Everything here is plain JSON, so that it can be scripted over HTTP too. */
export type AnswerKind =
  | Accept
  | Refuse
  | Raw
  /** The connection stays open and says nothing. */
  | { readonly kind: 'silence' }
  | {
      readonly kind: 'goaway';
      readonly streams: (typeof GOAWAY_STREAMS)[number];
      /** Sent as `{"reason":…}` in the frame, as APNs does. */
      readonly reason?: string;
    }
  /** The connection is closed in order, without an answer. */
  | { readonly kind: 'fin' }
  | { readonly kind: 'tcp-reset' }
  /** TCP reset as soon as the headers are there. Before the body, nobody knows the push token: for scripts without one,
   *  of the proxy and the receiver of callbacks. Elsewhere a TCP reset. */
  | { readonly kind: 'reset-unread' }
  | {
      readonly kind: 'redirect';
      /** Default: the path that was asked for, so that a client that follows arrives once more. */
      readonly location?: string;
      /** Default 307. */
      readonly status?: number;
    }
  /** 200 and a body that ends when the client does: as fast as it reads, or a byte every `everyMs`. */
  | { readonly kind: 'endless'; readonly everyMs?: number }
  /** HTTP/2 only; over HTTP/1.1 it is a TCP reset. */
  | { readonly kind: 'rst-stream'; readonly code: ResetCode };

export type Answer = AnswerKind & {
  /** How often a script gives this answer before it goes on to the next; default 1. */
  readonly times?: number | 'always';
  /** Wait before the answer, in ms. */
  readonly delayMs?: number;
  /** HTTP/2: afterwards the connection allows this many concurrent streams; on APNs until the next accepted push. */
  readonly streamLimit?: number;
};

export const ACCEPT: Answer = { kind: 'accept' };

/** What is known of a push before it is answered. */
export interface PushTarget {
  readonly provider: SandboxProvider;
  /** Push token; at the token endpoint the service account's e-mail address, of a callback the key it is signed with. */
  readonly token: string;
  readonly environment?: string;
  readonly apnsTopic?: string;
  readonly projectId?: string;
}
