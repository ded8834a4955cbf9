import type { HeaderField } from './request.ts';

/** What requests have in common. Made once for many of them; each connection encodes it once, too. */
export class RequestTemplate {
  /** Pseudo-fields other than `:path`. They go into the peer's table. */
  readonly pseudo: readonly HeaderField[];
  /** Equal in very many requests, whatever their template: they go into the peer's table. */
  readonly shared: readonly HeaderField[];
  /** Of this template's requests alone, such as an expiry: encoded once, never indexed. */
  readonly own: readonly HeaderField[];
  /** Never indexed by whoever passes them on either, such as `authorization`. */
  readonly secret: readonly HeaderField[];

  constructor(parts: {
    readonly method: string;
    readonly authority: string;
    readonly shared?: readonly HeaderField[];
    readonly own?: readonly HeaderField[];
    readonly secret?: readonly HeaderField[];
  }) {
    this.pseudo = [
      [':method', parts.method],
      [':scheme', 'https'],
      [':authority', parts.authority],
    ];
    this.shared = parts.shared ?? [];
    this.own = parts.own ?? [];
    this.secret = parts.secret ?? [];
  }
}
