import type { Logger } from '../log.ts';
import type { TracingSettings } from './read-tracing.ts';
import type { Tracing } from './tracing.ts';

export interface TracingDeps {
  readonly log: Logger;
  readonly version: string | undefined;
}

/** Undefined, with nothing of OpenTelemetry loaded, where no collector is named. A collector that is away is no mistake. */
export async function openTracing(
  settings: TracingSettings | undefined,
  deps: TracingDeps,
): Promise<Tracing | undefined> {
  if (settings === undefined) return undefined;
  const { createOtelTracing } = await import('./otel-tracing.ts');
  return createOtelTracing(settings, deps);
}
