export * from './database.ts';
export * from './eventually.ts';
export * from './foreign.ts';
export * from './own-servers.ts';
export * from './redis.ts';
export * from './services.ts';
export * from './rows.ts';
export * from './sandbox.ts';
