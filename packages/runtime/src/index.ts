export * from './database-url.ts';
export * from './env.ts';
export * from './health.ts';
export * from './log.ts';
export * from './main.ts';
export * from './secrets-key.ts';
export * from './shutdown.ts';
export * from './version.ts';
