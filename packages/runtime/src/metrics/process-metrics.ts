import { collectDefaultMetrics } from 'prom-client';

import type { Health } from '../health.ts';
import { METRICS_PREFIX, type Metrics } from './metrics.ts';

export interface ProcessFacts {
  /** Which of ours it is. */
  readonly service: 'api' | 'dispatcher';
  readonly version: string;
  /** Whether it sends for real: `live` or `sandbox`. */
  readonly mode: string;
}

/** Measures what every process is made of: memory, CPU, event loop, garbage collection, and which build it is. */
export function measureProcess(metrics: Metrics, facts: ProcessFacts): void {
  collectDefaultMetrics({ register: metrics.registry, prefix: METRICS_PREFIX });
  const build = metrics.gauge({
    name: 'heliograph_build_info',
    help: 'Always 1. Which process this is, of which version, and whether it sends for real.',
    labelNames: ['service', 'version', 'mode'],
  });
  build.set({ ...facts }, 1);
}

/** Measures whether the process reaches what it needs, by the checks of its readiness. They are made when somebody asks. */
export function measureComponents(metrics: Metrics, health: Health): void {
  metrics.gauge(
    {
      name: 'heliograph_component_up',
      help: 'Whether this process reaches the database, or Redis: 1 or 0.',
      labelNames: ['component'],
    },
    async (gauge) => {
      const { components } = await health.readiness();
      for (const [component, { status }] of Object.entries(components))
        gauge.set({ component }, status === 'UP' ? 1 : 0);
    },
  );
}
