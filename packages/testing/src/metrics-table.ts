import { readFileSync } from 'node:fs';

import { inCheckout } from './checkout.ts';

/** A metric as docs/metrics.md describes it. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** What the tables of docs/metrics.md list, those of all headings or of one. */
export function readMetricsTable(heading?: string): readonly DocumentedMetric[] {
  const text = readFileSync(inCheckout('docs/metrics.md'), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? text;
  const rows = section.matchAll(/^\| (`heliograph_[^|]+) +\| (\w+) +\|([^|]*)\|/gm);
  return Array.from(rows).flatMap(([, names = '', type = '', labels = '']) =>
    listQuoted(names).map((name) => ({ name, type, labels: listQuoted(labels) })),
  );
}

function listQuoted(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, quoted = '']) => quoted);
}
