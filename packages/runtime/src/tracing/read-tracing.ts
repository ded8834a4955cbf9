import type { EnvReader } from '../env.ts';

export const SAMPLERS = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
] as const;

/** Where spans go, and which of them. */
export interface TracingSettings {
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, string>>;
  /** For one batch, with its repeats. */
  readonly timeoutMs: number;
  readonly compression: 'none' | 'gzip';
  /** PEM, trusted instead of the public authorities. */
  readonly ca: Buffer | undefined;
  readonly sampler: (typeof SAMPLERS)[number];
  /** The share of traces that samplers with a ratio take. */
  readonly ratio: number;
  /** What is said of this process, `service.name` among it. */
  readonly resource: Readonly<Record<string, string>>;
}

/** OpenTelemetry's own variables. Undefined where they name no collector. */
export function readTracing(read: EnvReader, serviceName: string): TracingSettings | undefined {
  const base = read.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = read.optionalUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? toTracesUrl(base);
  const resource = readPairs(
    read,
    'OTEL_RESOURCE_ATTRIBUTES',
    read.optional('OTEL_RESOURCE_ATTRIBUTES'),
  );
  const settings = {
    protocol: read.oneOf(
      'OTEL_EXPORTER_OTLP_PROTOCOL',
      ['http/protobuf', 'http/json'],
      'http/protobuf',
    ),
    headers: readPairs(
      read,
      'OTEL_EXPORTER_OTLP_HEADERS',
      read.secret('OTEL_EXPORTER_OTLP_HEADERS'),
    ),
    timeoutMs: read.int('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, { min: 1, max: 300_000 }),
    compression: read.oneOf('OTEL_EXPORTER_OTLP_COMPRESSION', ['none', 'gzip'], 'none'),
    ca: read.optionalFile('OTEL_EXPORTER_OTLP_CERTIFICATE'),
    sampler: read.oneOf('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on'),
    ratio: read.number('OTEL_TRACES_SAMPLER_ARG', 1, { min: 0, max: 1 }),
    resource: {
      'service.name': serviceName,
      ...resource,
      ...toName(read.optional('OTEL_SERVICE_NAME')),
    },
  };
  if (read.bool('OTEL_SDK_DISABLED', false) || url === undefined) return undefined;
  if (!/^https?:/i.test(url))
    read.refuse('OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL');
  return { ...settings, url };
}

/** The general endpoint is the collector's; each signal has a path below it. */
function toTracesUrl(base: string | undefined): string | undefined {
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`;
}

function toName(name: string | undefined) {
  return name === undefined ? {} : { 'service.name': name };
}

/** `name=value,name=value`, percent-encoded. What stands there may be secret, and is not repeated. */
function readPairs(read: EnvReader, variable: string, text = ''): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const at = part.indexOf('=');
    const value = tryDecode(part.slice(at + 1).trim());
    if (at < 1 || value === undefined) {
      read.refuse(`${variable} is not a list of name=value, percent-encoded, with commas between`);
      return {};
    }
    pairs[part.slice(0, at).trim()] = value;
  }
  return pairs;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
