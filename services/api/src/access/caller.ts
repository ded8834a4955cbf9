import { SCOPES, type Scope } from '@heliograph/core';

/** The app that a key is bound to: its row, and its own id. */
export interface BoundApp {
  readonly ref: number;
  readonly appId: string;
}

/** Who calls, as far as we know. */
export interface Caller {
  /** Of an API key; undefined for users of the console, and where access control is off. */
  readonly keyId: string | undefined;
  /** By which limits and idempotency keys are counted: nobody else is called so. Undefined where access control is off. */
  readonly countedAs: string | undefined;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: every app. */
  readonly app: BoundApp | null;
  /** Requests per second over all servers; 0: no limit. */
  readonly ratePerSecond: number;
}

/** Everybody, where access control is off. */
export const ANYBODY: Caller = {
  keyId: undefined,
  countedAs: undefined,
  name: 'anybody',
  scopes: SCOPES,
  app: null,
  ratePerSecond: 0,
};

/** Whether what belongs to this app is the caller's. */
export function isOwn({ app }: Caller, appId: string): boolean {
  return app === null || app.appId === appId;
}

/** What a user of the console is called where keys are called by their names, which have an id beside them. */
export function toActor(name: string): string {
  return `user ${name}`;
}
