import type { MetricOptions } from './metrics.ts';

export interface DurationsOptions<T extends string> extends MetricOptions<T> {
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
}

/** The durations under one set of labels. Whoever measures often keeps it. */
export interface Duration {
  observe(seconds: number): void;
}

/**
 * A histogram of seconds that costs an addition per value. prom-client's looks its labels up for each, which is a twentieth of what a push of
 * a campaign takes in all; and it takes no more than one value at a time.
 */
export class Durations<T extends string = string> {
  readonly #name: string;
  readonly #help: string;
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor({ name, help, buckets }: DurationsOptions<T>) {
    this.#name = name;
    this.#help = help;
    this.#buckets = buckets;
  }

  of(labels: Readonly<Record<T, string>>): Duration {
    const text = Object.entries<string>(labels)
      .map(([name, value]) => `${name}="${escapeValue(value)}"`)
      .join(',');
    const kept = this.#series.get(text);
    if (kept !== undefined) return kept;
    const made = new Series(this.#buckets);
    this.#series.set(text, made);
    return made;
  }

  /** In the text format of Prometheus. */
  render(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [labels, series] of this.#series) {
      const before = labels === '' ? '' : `${labels},`;
      let count = 0;
      for (const [n, le] of this.#buckets.entries()) {
        count += series.counts[n] ?? 0;
        lines.push(`${this.#name}_bucket{${before}le="${le}"} ${count}`);
      }
      count += series.counts[this.#buckets.length] ?? 0;
      const own = labels === '' ? '' : `{${labels}}`;
      lines.push(
        `${this.#name}_bucket{${before}le="+Inf"} ${count}`,
        `${this.#name}_sum${own} ${series.sum}`,
        `${this.#name}_count${own} ${count}`,
      );
    }
    return `${lines.join('\n')}\n`;
  }
}

class Series implements Duration {
  /** Per bucket, not summed up; the last one is of what is beyond all. */
  readonly counts: number[];
  readonly #buckets: readonly number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.counts = Array.from({ length: buckets.length + 1 }, () => 0);
  }

  observe(seconds: number): void {
    let n = 0;
    while (n < this.#buckets.length && seconds > (this.#buckets[n] ?? 0)) n += 1;
    this.counts[n] = (this.counts[n] ?? 0) + 1;
    this.sum += seconds;
  }
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
