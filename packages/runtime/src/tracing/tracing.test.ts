import { eventually, openTraceCollector, type TraceCollector } from '@heliograph/testing';
import { pino } from 'pino';

import { ConfigError, EnvReader } from '../env.ts';
import { MAX_WAITING_SPANS } from './export-watch.ts';
import { openTracing } from './open-tracing.ts';
import { readTracing } from './read-tracing.ts';
import { inSpan, type Tracing } from './tracing.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const PARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;
const UNSAMPLED = `00-${TRACE_ID}-${SPAN_ID}-00`;

let collector: TraceCollector;
let tracing: Tracing | undefined;
let lines: { readonly level: number; readonly msg: string; readonly lost?: number }[];

beforeEach(async () => {
  collector = await openTraceCollector();
  lines = [];
});
afterEach(async () => {
  await collector.close();
  await tracing?.close();
});

function read(env: Record<string, string>) {
  const reader = new EnvReader(env);
  return reader.finish(readTracing(reader, 'the-service'));
}

async function open(env: Record<string, string> = {}): Promise<Tracing> {
  const own = lines;
  const log = pino({}, { write: (line) => void own.push(JSON.parse(line)) });
  const settings = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    ...env,
  });
  const opened = await openTracing(settings, { log, version: '1.2.3' });
  if (opened === undefined) throw new Error('nothing is traced');
  tracing = opened;
  return opened;
}

describe('the settings of tracing', () => {
  test('are none without an endpoint, or when OpenTelemetry is switched off', () => {
    expect(read({ OTEL_SERVICE_NAME: 'x' })).toBeUndefined();
    expect(
      read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector', OTEL_SDK_DISABLED: 'true' }),
    ).toBeUndefined();
  });

  test('are those of OpenTelemetry', () => {
    expect(
      read({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-tenant=7',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
        OTEL_SERVICE_NAME: 'mine',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
      }),
    ).toEqual({
      url: 'http://collector:4318/v1/traces',
      protocol: 'http/protobuf',
      headers: { authorization: 'Bearer abc', 'x-tenant': '7' },
      timeoutMs: 10_000,
      compression: 'none',
      ca: undefined,
      sampler: 'parentbased_traceidratio',
      ratio: 0.25,
      resource: { 'service.name': 'mine', 'deployment.environment.name': 'test' },
    });
    expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c/own' })?.url).toBe(
      'https://c/own',
    );
  });

  test('are refused with every mistake, and no header is repeated', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'secret%ZZ',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_TRACES_SAMPLER_ARG: '1.5',
    };

    const refused = () => read(env);

    expect(refused).toThrow(ConfigError);
    for (const name of Object.keys(env)) expect(refused).toThrow(name);
    expect(refused).not.toThrow('secret');
  });
});

describe('spans', () => {
  test('go to the collector with their service, parents, links and facts', async () => {
    const opened = await open({ OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=7' });

    const outer = opened.start('outer', {
      kind: 'server',
      parent: PARENT,
      facts: { text: 'a', count: 2, missing: undefined },
    });
    const inner = opened.start('inner', { kind: 'client', parent: outer, links: [PARENT, '?'] });
    inner.end('timeout');
    inner.end();
    outer.rename('GET /x');
    outer.note({ later: true });
    outer.end();
    await opened.close();

    expect(outer.traceParent).toBe(`00-${TRACE_ID}-${outer.ids.span_id}-01`);
    expect(collector.headers[0]).toMatchObject({ 'x-tenant': '7' });
    expect(collector.spans).toMatchObject([
      {
        service: 'the-service',
        name: 'inner',
        kind: 3,
        traceId: TRACE_ID,
        parentSpanId: outer.ids.span_id,
        attributes: { 'error.type': 'timeout' },
        links: [{ traceId: TRACE_ID, spanId: SPAN_ID }],
        isError: true,
      },
      {
        name: 'GET /x',
        kind: 2,
        traceId: TRACE_ID,
        parentSpanId: SPAN_ID,
        attributes: { text: 'a', count: 2, later: true },
        isError: false,
      },
    ]);
    expect(collector.spans).toHaveLength(2);
  });

  test('go to a collector that takes protobuf, and nothing but that', async () => {
    const opened = await open({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' });

    opened.start('one', { kind: 'server' }).end();
    await opened.close();

    expect(collector.headers[0]).toMatchObject({ 'content-type': 'application/x-protobuf' });
    expect(collector.bodies[0]).toContain('the-service');
  });

  test.each(['', 'nonsense', `00-${'0'.repeat(32)}-${SPAN_ID}-01`, `ff-${TRACE_ID}-${SPAN_ID}-01`])(
    'begin a trace of their own where a parent can not be read: %j',
    async (parent) => {
      const opened = await open();

      const span = opened.start('one', { kind: 'server', parent });

      expect(span.ids.trace_id).toMatch(/^[0-9a-f]{32}$/);
      expect(span.ids.trace_id).not.toBe(TRACE_ID);
      expect(span.traceParent).toBeDefined();
    },
  );

  test.each([
    ['parentbased_always_on', UNSAMPLED, false],
    ['parentbased_always_on', undefined, true],
    ['parentbased_always_off', PARENT, true],
    ['parentbased_always_off', undefined, false],
    ['always_on', UNSAMPLED, true],
    ['always_off', PARENT, false],
  ])('are sampled by %s under %s: %s', async (sampler, parent, isSampled) => {
    const opened = await open({ OTEL_TRACES_SAMPLER: sampler });

    const span = opened.start('one', { kind: 'server', parent });

    expect(span.traceParent !== undefined).toBe(isSampled);
    expect(span.ids.span_id).toMatch(/^[0-9a-f]{16}$/);
  });

  test('sampled by a ratio are about that many', async () => {
    const opened = await open({
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    });

    const spans = Array.from({ length: 1000 }, () => opened.start('one', { kind: 'server' }));
    const sampled = spans.filter(({ traceParent }) => traceParent !== undefined);

    expect(sampled.length).toBeGreaterThan(350);
    expect(sampled.length).toBeLessThan(650);
  });
});

describe('work within a span', () => {
  test('is just done where nothing is traced', async () => {
    expect(await inSpan(undefined, 'x', { kind: 'client' }, (span) => Promise.resolve(span))).toBe(
      undefined,
    );
  });

  test('names the kind of an error, and not its words', async () => {
    const opened = await open();
    const failing = inSpan(opened, 'x', { kind: 'client' }, () =>
      Promise.reject(Object.assign(new Error('user-7 is secret'), { code: 'ECONNRESET' })),
    );

    await expect(failing).rejects.toThrow('secret');
    await opened.close();

    expect(collector.spans).toMatchObject([{ attributes: { 'error.type': 'ECONNRESET' } }]);
    expect(collector.bodies.join()).not.toContain('secret');
  });
});

const messages = () => lines.map(({ msg }) => msg);
const LOST = 'spans are lost: the collector does not take them';
const TAKEN = 'spans are taken again';

/** More than one batch: the exporter is handed it at once. */
function fill(opened: Tracing, spans: number): void {
  for (let n = 0; n < spans; n += 1) opened.start('one', { kind: 'server' }).end();
}

describe('a collector in trouble', () => {
  test('is warned of once, and once more when it is well again', async () => {
    const opened = await open();
    collector.mood = 'refuses';

    fill(opened, 512);
    await eventually(() => expect(messages()).toEqual([LOST]));
    fill(opened, 512);
    await eventually(() => expect(collector.bodies).toHaveLength(2));
    collector.mood = 'takes';
    fill(opened, 512);
    await eventually(() => expect(messages()).toEqual([LOST, TAKEN]));

    expect(lines.map(({ level }) => level)).toEqual([40, 30]);
    expect(lines[1]?.lost).toBe(1024);
    expect(collector.spans).toHaveLength(512);
  });

  test('that is away is warned of', async () => {
    const opened = await open({ OTEL_EXPORTER_OTLP_TIMEOUT: '1' });
    await collector.close();

    fill(opened, 512);
    await eventually(() => expect(messages()).toEqual([LOST]));
    collector = await openTraceCollector();
  });

  test('that hangs holds so many spans and no more, and keeps nobody from closing', async () => {
    const opened = await open({ OTEL_EXPORTER_OTLP_TIMEOUT: '60000' });
    collector.mood = 'hangs';

    // The first batch is on its way; behind it waits what there is room for.
    fill(opened, 512);
    await eventually(() => expect(collector.bodies).toHaveLength(1));
    fill(opened, MAX_WAITING_SPANS);
    expect(lines).toEqual([]);
    fill(opened, 10);

    expect(messages()).toEqual([LOST]);
    await opened.close();
  });
});
