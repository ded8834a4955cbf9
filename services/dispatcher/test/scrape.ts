import type { SpawnedService } from '@heliograph/testing';

/** A value under its labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One answer of `/metrics`. */
export interface Scrape {
  /** What is exported, by name: its type. Histograms go by their own name. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  readonly text: string;
}

/** Where a process answers; of an api that was started with `METRICS_PORT`. */
export async function findMetricsUrl(service: SpawnedService): Promise<string> {
  const { port, metricsPort = port } = await service.waitReady();
  return `http://127.0.0.1:${String(metricsPort)}/metrics`;
}

export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(url);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`);
  return parseScrape(text);
}

const SAMPLE = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

export function parseScrape(text: string): Scrape {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) types.set(typed, type);
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) continue;
    samples.push({
      name,
      labels: Object.fromEntries(
        Array.from(labels.matchAll(LABEL), ([, key, quoted]) => [key, quoted]),
      ),
      value: Number(value),
    });
  }
  return { types, samples, text };
}

/** The sum of what fits. */
export function sumOf({ samples }: Scrape, name: string, labels: Sample['labels'] = {}): number {
  return samples
    .filter((one) => one.name === name)
    .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
