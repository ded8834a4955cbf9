import { Counter, Gauge, Registry } from 'prom-client';

import { Counts } from './counts.ts';
import { Durations, type DurationsOptions } from './durations.ts';

/** What every name begins with. */
export const METRICS_PREFIX = 'heliograph_';

export interface MetricOptions<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly T[];
}

/** What is looked at when somebody asks for the metric. */
export type Collect<M> = (metric: M) => void | Promise<void>;

/** What a process measures: made in `main.ts` and handed down, or by a test for itself. */
export class Metrics {
  readonly registry = new Registry();
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #durations: Durations[] = [];

  counter<T extends string = never>(
    options: MetricOptions<T>,
    collect?: Collect<Counter<T>>,
  ): Counter<T> {
    return new Counter({ ...this.#complete(options), ...whenAsked(collect) });
  }

  gauge<T extends string = never>(
    options: MetricOptions<T>,
    collect?: Collect<Gauge<T>>,
  ): Gauge<T> {
    return new Gauge({ ...this.#complete(options), ...whenAsked(collect) });
  }

  /** A counter for what happens thousands of times a second. */
  counts<T extends string>(options: MetricOptions<T>): Counts<T> {
    const counts = new Counts<T>();
    this.counter(options, (counter) => counts.collect(counter));
    return counts;
  }

  /** A histogram of seconds. */
  durations<T extends string>(options: DurationsOptions<T>): Durations<T> {
    const durations = new Durations(options);
    this.#durations.push(durations);
    return durations;
  }

  /** All of it in the text format of Prometheus. */
  async render(): Promise<string> {
    const measured = await this.registry.metrics();
    return [measured, ...this.#durations.map((one) => one.render())].join('\n');
  }

  #complete<T extends string>({ name, help, labelNames = [] }: MetricOptions<T>) {
    return { name, help, labelNames: [...labelNames], registers: [this.registry] };
  }
}

/** prom-client calls it with the metric as `this`. */
function whenAsked<M>(collect: Collect<M> | undefined) {
  if (collect === undefined) return {};
  return {
    collect(this: M) {
      return collect(this);
    },
  };
}
