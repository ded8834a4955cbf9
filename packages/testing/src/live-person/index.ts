export * from './bodies.ts';
export * from './client.ts';
