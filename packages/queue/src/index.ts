export * from './connection.ts';
export * from './lane.ts';
export * from './outcome-hints.ts';
