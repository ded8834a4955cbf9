export * from './campaign-lane.ts';
export * from './connection.ts';
export * from './inbox-hints.ts';
export * from './lane.ts';
export * from './outcome-hints.ts';
export * from './pace.ts';
export type { Permits } from './permits.ts';
export * from './rate-limit.ts';
export * from './shared-secrets.ts';
