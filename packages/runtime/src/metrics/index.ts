export type { Count, Counts } from './counts.ts';
export type { Duration, Durations } from './durations.ts';
export { Metrics, METRICS_PREFIX } from './metrics.ts';
export type { Counter, Gauge } from 'prom-client';
export { METRICS_PATH, writeMetrics } from './metrics-page.ts';
export { measureComponents, measureProcess, type ProcessFacts } from './process-metrics.ts';
