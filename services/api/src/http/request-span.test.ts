import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

import {
  createLogger,
  EnvReader,
  openTracing,
  readTracing,
  type Tracing,
} from '@heliograph/runtime';
import { eventually, openTraceCollector, type TraceCollector } from '@heliograph/testing';
import { pino } from 'pino';

import { makeKey } from '../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../test/open-test-api.ts';
import { makeDeveloperKey, makeReceiver, pushTo } from '../../test/signed-request.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const SERVER = 2;

let collector: TraceCollector;
let api: TestApi;
let lines: Readonly<Record<string, unknown>>[];
let tracing: Tracing | undefined;
let close: () => Promise<void>;
const write = (line: string) => void lines.push(JSON.parse(line));

beforeEach(async () => {
  collector = await openTraceCollector();
  const read = new EnvReader({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  });
  tracing = await openTracing(readTracing(read, 'api'), {
    log: createLogger('test', 'silent'),
    version: undefined,
  });
  lines = [];
  api = await openTestApi({ tracing, log: pino({ level: 'debug' }, { write }) });
  close = async () => {
    await api.close();
    await tracing?.close();
  };
});
afterEach(async () => {
  await close();
  await collector.close();
});

/** Every span so far, once they are with the collector. */
async function spansOfRequests() {
  await close();
  return collector.spans.filter(({ kind }) => kind === SERVER);
}

describe('a request', () => {
  test('is a span by its route, in the trace of its caller', async () => {
    const id = randomUUID();

    await api.call('GET', `/push/message/${id}`, undefined, {
      traceparent: `00-${TRACE_ID}-${CALLER}-01`,
      tracestate: 'vendor=1',
      'x-correlation-id': 'this-request',
    });
    const [span] = await spansOfRequests();

    expect(span).toMatchObject({
      name: 'GET /push/message/:id',
      traceId: TRACE_ID,
      parentSpanId: CALLER,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/push/message/:id',
        'http.response.status_code': 404,
        'heliograph.request.id': 'this-request',
        'url.scheme': 'http',
      },
      isError: false,
    });
    expect(collector.bodies.join()).not.toContain(id);
  });

  test('that its caller does not sample is none', async () => {
    await api.call('GET', '/push/service/status', undefined, {
      traceparent: `00-${TRACE_ID}-${CALLER}-00`,
    });

    expect(await spansOfRequests()).toEqual([]);
  });

  test('to no endpoint has a method for its name, and one for our health is not traced', async () => {
    await api.get('/nowhere/user-7');
    await api.get('/actuator/health');
    const spans = await spansOfRequests();

    expect(spans.map(({ name, attributes }) => [name, attributes['http.route']])).toEqual([
      ['GET', undefined],
    ]);
    expect(collector.bodies.join()).not.toContain('user-7');
  });

  test('that we fail is an error, and its line names the trace', async () => {
    await api.db.schema.alterTable('campaigns').renameTo('campaigns_gone').execute();

    const answer = await api.call('GET', '/push/campaign/list', undefined, {
      'x-correlation-id': 'failing-request',
    });
    const [span] = await spansOfRequests();

    expect(answer.status).toBe(500);
    expect(span).toMatchObject({ isError: true, attributes: { 'error.type': '500' } });
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'request failed',
        requestId: 'failing-request',
        trace_id: span?.traceId,
        span_id: span?.spanId,
      }),
    );
  });

  test('whose caller goes before it is answered is aborted', async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    // Its body never comes.
    socket.write(
      'POST /push/message/send HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();

    const span = await eventually(() => {
      const [first] = collector.spans;
      if (first === undefined) throw new Error('no span yet');
      return first;
    });

    expect(span.attributes['error.type']).toBe('aborted');
  });

  test('with a signature says neither receiver nor content, and its message is in the trace', async () => {
    const key = await makeDeveloperKey(api);
    const userId = await makeReceiver(api, key);

    const { body } = await pushTo(api, key, userId);
    const { traceParent } = await api.db
      .selectFrom('messages')
      .select('traceParent')
      .where('id', '=', body.requestId)
      .executeTakeFirstOrThrow();
    const spans = await spansOfRequests();

    const span = spans.find(({ name }) => name === 'POST /api/1.0/push/:receiver');
    expect(span).toMatchObject({ attributes: { 'http.response.status_code': 200 } });
    const accepted = collector.spans.find(({ name }) => name === 'accept messages');
    expect(accepted).toMatchObject({
      traceId: span?.traceId,
      parentSpanId: span?.spanId,
      attributes: { 'messaging.message.id': body.requestId },
    });
    expect(traceParent).toBe(`00-${span?.traceId}-${accepted?.spanId}-01`);
    expect(collector.bodies.join()).not.toContain(userId);
    expect(JSON.stringify(lines)).not.toContain(userId);
  });

  test('without the scope names itself in the line that says so', async () => {
    const guarded = await openTestApi({
      beside: api,
      auth: 'on',
      tracing,
      log: pino({}, { write }),
    });
    const { text } = await makeKey(api.db, { scopes: ['read'] });

    await guarded.call(
      'POST',
      '/push/message/send',
      {},
      {
        authorization: `Bearer ${text}`,
        'x-correlation-id': 'without-scope',
      },
    );
    await guarded.close();
    const [span] = await spansOfRequests();

    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'caller without the scope',
        requestId: 'without-scope',
        trace_id: span?.traceId,
      }),
    );
  });
});
