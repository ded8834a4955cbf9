import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  createLogger,
  EnvReader,
  openTracing,
  readTracing,
  type Tracing,
} from '@heliograph/runtime';
import {
  eventually,
  openTraceCollector,
  type CollectedSpan,
  type TraceCollector,
} from '@heliograph/testing';
import { pino } from 'pino';

import { openCallbackRig, SECRET, TEST_SETTINGS } from './callback-rig.ts';
import { makeCampaign, makeDevices, runIn, startRun } from './campaign-rig.ts';
import { openReceiver } from './receiver.ts';
import { openRig, type Rig } from './rig.ts';
import { openStack, type Stack } from './stack.ts';

jest.setTimeout(240_000);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const TRACE_PARENT = `00-${TRACE_ID}-${CALLER}-01`;
const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
/** What no span and no line may hold. */
const TITLE = 'the words of the message';

function toEnv(collector: TraceCollector, changes: Record<string, string> = {}) {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    ...changes,
  };
}

/** A line of the log for each JSON object that the process wrote. */
function linesOf(output: string): readonly Readonly<Record<string, unknown>>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

async function send(api: { readonly url: string }, userIds: readonly string[]) {
  const answer = await fetch(`${api.url}/push/message/batch/send`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: TRACE_PARENT,
      'x-correlation-id': 'request-of-the-test',
    },
    body: JSON.stringify({
      requestObject: {
        appId: 1,
        batch: userIds.map((userId) => ({ userId, body: { title: TITLE } })),
        mode: 'ASYNCHRONOUS',
      },
    }),
  });
  const { responseObject } = (await answer.json()) as {
    readonly responseObject: { readonly messageIds: readonly string[] };
  };
  return responseObject.messageIds;
}

describe('a request with a traceparent, over api, queue and provider', () => {
  test('is one trace, in which nothing is told but ids', async () => {
    const collector = await openTraceCollector();
    const stack = await openStack({}, { ...toEnv(collector), LOG_LEVEL: 'debug' });
    try {
      const userIds = await stack.makeAudience(2);
      const api = await stack.startApi();
      const dispatcher = await stack.startDispatcher();

      const messageIds = await send(api, userIds);
      await stack.settled(messageIds);
      const spans = await eventually(() => {
        const own = collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
        expect(own).toHaveLength(6);
        return own;
      });

      const server = find(spans, 'POST /push/message/batch/send');
      expect(server).toMatchObject({
        service: 'heliograph-api',
        kind: SERVER,
        parentSpanId: CALLER,
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/push/message/batch/send',
          'http.response.status_code': 200,
          'heliograph.request.id': 'request-of-the-test',
        },
      });
      const accepted = find(spans, 'accept messages');
      expect(accepted).toMatchObject({
        kind: PRODUCER,
        parentSpanId: server.spanId,
        attributes: { 'messaging.batch.message_count': 2 },
      });
      const sent = spans.filter(({ name }) => name === 'send message');
      expect(sent.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(
        expect.arrayContaining([...messageIds]),
      );
      for (const one of sent)
        expect(one).toMatchObject({
          service: 'heliograph-dispatcher',
          kind: CONSUMER,
          parentSpanId: accepted.spanId,
          attributes: { 'heliograph.delivery.state': 'sent' },
        });
      for (const name of ['push apns', 'push fcm'])
        expect(find(spans, name)).toMatchObject({
          kind: CLIENT,
          parentSpanId: expect.stringMatching(toIds(sent)),
          attributes: {
            'http.response.status_code': 200,
            'heliograph.outcome': 'sent',
            'server.address': expect.stringMatching(/^(?:localhost|127\.0\.0\.1)$/) as string,
            'server.port': expect.any(Number) as number,
          },
          isError: false,
        });
      const claims = await eventually(() => {
        const found = collector.spans.filter(({ name }) => name === 'claim messages');
        expect(found).not.toEqual([]);
        return found;
      });
      for (const claim of claims)
        expect(claim).toMatchObject({
          kind: CONSUMER,
          parentSpanId: undefined,
          links: [{ traceId: TRACE_ID, spanId: accepted.spanId }],
        });

      expect(linesOf(api.output)).toContainEqual(
        expect.objectContaining({
          msg: 'messages accepted',
          requestId: 'request-of-the-test',
          messageIds,
          trace_id: TRACE_ID,
          span_id: server.spanId,
        }),
      );
      for (const { attributes, spanId } of sent)
        expect(linesOf(dispatcher.output)).toContainEqual(
          expect.objectContaining({
            msg: 'delivery judged',
            messageId: attributes['messaging.message.id'],
            state: 'sent',
            trace_id: TRACE_ID,
            span_id: spanId,
          }),
        );
      const told = [...collector.bodies, api.output, dispatcher.output].join('\n');
      const tokens = stack.accepted().map(({ token }) => token);
      expect(tokens).toHaveLength(2);
      for (const secret of [...tokens, ...userIds, TITLE]) expect(told).not.toContain(secret);
    } finally {
      await stack.close();
      await collector.close();
    }
  });
});

describe('a collector in trouble', () => {
  let collector: TraceCollector;
  let stack: Stack;
  afterEach(async () => {
    await stack.close();
    await collector.close();
  });

  test('that hangs keeps no message, and no process from leaving in order', async () => {
    collector = await openTraceCollector();
    collector.mood = 'hangs';
    stack = await openStack({}, toEnv(collector));
    const userIds = await stack.makeAudience(2);
    const [api, dispatcher] = [await stack.startApi(), await stack.startDispatcher()];

    const messageIds = await send(api, userIds);
    await stack.settled(messageIds);
    await eventually(() => expect(collector.bodies.join()).toContain('heliograph-dispatcher'));
    for (const process of [api, dispatcher]) process.kill('SIGTERM');

    expect(await api.exited).toBe(0);
    expect(await dispatcher.exited).toBe(0);
    expect(await stack.countSent(messageIds)).toBe(2);
    expect(collector.spans).toEqual([]);
  });

  test('that is away is warned of once, by each process', async () => {
    collector = await openTraceCollector();
    await collector.close();
    stack = await openStack({}, toEnv(collector, { OTEL_EXPORTER_OTLP_TIMEOUT: '1' }));
    const userIds = await stack.makeAudience(2);
    const [api, dispatcher] = [await stack.startApi(), await stack.startDispatcher()];
    const lost = (output: string) =>
      linesOf(output).filter(({ msg }) => String(msg).startsWith('spans are lost'));

    for (const times of [1, 2]) {
      const messageIds = await send(api, userIds);
      await stack.settled(messageIds);
      expect({ times, sent: await stack.countSent(messageIds) }).toEqual({ times, sent: 2 });
      await eventually(() => expect(lost(api.output)).toHaveLength(1));
      await eventually(() => expect(lost(dispatcher.output)).toHaveLength(1));
    }
    collector = await openTraceCollector();
  });
});

describe('without an endpoint', () => {
  const LOADED = `
    process.on('exit', () => {
      // prom-client brings its small api, which does nothing by itself.
      const ofSdk = /@opentelemetry\\/(?!api\\/)/;
      const loaded = Object.keys(require.cache).filter((file) => ofSdk.test(file));
      console.log('loaded ' + loaded.length + ' files of OpenTelemetry');
    });`;

  test.each([
    ['nothing of the SDK is loaded', {}, /loaded 0 files/],
    [
      'which is loaded where there is one',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
      /loaded [1-9]\d* files/,
    ],
  ])('%s', async (_, env, expected) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'heliograph-loaded-'));
    const file = path.join(folder, 'loaded.cjs');
    await writeFile(file, LOADED);
    const stack = await openStack({}, { ...env, NODE_OPTIONS: `--require ${file}` });
    try {
      const [api, dispatcher] = [await stack.startApi(), await stack.startDispatcher()];

      for (const process of [api, dispatcher]) {
        process.kill('SIGTERM');
        await process.exited;
        await eventually(() => expect(process.output).toMatch(expected));
      }
    } finally {
      await stack.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('traces of a dispatcher', () => {
  let rig: Rig;
  let collector: TraceCollector;
  let tracing: Tracing;
  let lines: string[];
  beforeEach(async () => {
    [rig, collector, lines] = [await openRig(), await openTraceCollector(), []];
    const read = new EnvReader(toEnv(collector));
    const opened = await openTracing(readTracing(read, 'dispatcher'), {
      log: createLogger('test', 'silent'),
      version: undefined,
    });
    if (opened === undefined) throw new Error('nothing is traced');
    tracing = opened;
  });
  afterEach(async () => {
    await rig.close();
    await tracing.close();
    await collector.close();
  });

  const start = () =>
    rig.start({
      tracing,
      sweepEveryMs: 100,
      log: pino({}, { write: (line) => void lines.push(line) }),
    });

  test('go on where the hint was lost, and where a message is tried again', async () => {
    const app = await rig.makeSendingApp();
    const { userId, pushToken } = await rig.device(app, { provider: 'apns' });
    rig.sandbox.script('apns', { token: pushToken }, [
      { kind: 'refuse', reason: 'InternalServerError' },
    ]);

    const messageId = await rig.post(app, userId, { traceParent: TRACE_PARENT }, false);
    start();
    await eventually(async () => {
      const [delivery] = await rig.deliveries(messageId);
      expect(delivery?.attempts).toBe(1);
    });
    await rig.makeDue(messageId);
    await rig.finished(messageId);
    await rig.close();
    await tracing.close();

    const own = collector.spans.filter(({ traceId }) => traceId === TRACE_ID);
    const pushes = own.filter(({ name }) => name === 'push apns');
    expect(
      pushes.map(({ isError, attributes }) => [isError, attributes['heliograph.outcome']]),
    ).toEqual([
      [true, 'retry'],
      [false, 'sent'],
    ]);
    const sends = own.filter(({ name }) => name === 'send message');
    expect(sends.map(({ attributes }) => attributes['heliograph.delivery.state'])).toEqual([
      'pending',
      'sent',
    ]);
    expect(sends.map(({ parentSpanId }) => parentSpanId)).toEqual([CALLER, CALLER]);
  });

  test('of a message that is not traced are none', async () => {
    const app = await rig.makeSendingApp();
    const { userId } = await rig.device(app, { provider: 'apns' });

    const messageId = await rig.post(app, userId);
    start();
    await rig.finished(messageId);
    await rig.close();
    await tracing.close();

    expect(collector.spans.map(({ name }) => name)).toEqual([]);
  });

  test('of a campaign are one for each claim of a chunk, linked to who asked for the run', async () => {
    const app = await rig.makeSendingApp();
    const users = await makeDevices(rig.db, app, 50, { provider: 'apns' });
    const campaign = await makeCampaign(rig.db, app, users, { title: TITLE });
    const runId = await startRun(rig.db, campaign, { traceParent: TRACE_PARENT });

    start();
    await runIn(rig.db, runId, 'completed');
    await rig.close();
    await tracing.close();

    const chunks = collector.spans.filter(({ name }) => name === 'send chunk');
    const sent = chunks.map(({ attributes }) => Number(attributes['heliograph.sent']));
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(50);
    for (const chunk of chunks)
      expect(chunk).toMatchObject({
        kind: CONSUMER,
        parentSpanId: undefined,
        attributes: { 'heliograph.run.id': runId },
        links: [{ traceId: TRACE_ID, spanId: CALLER }],
      });
    const pushes = collector.spans.filter(({ name }) => name === 'push apns');
    expect(pushes.length).toBeLessThanOrEqual(chunks.length);
    expect(pushes).not.toEqual([]);
    for (const { parentSpanId } of pushes) expect(parentSpanId).toMatch(toIds(chunks));
  });

  test('and lines of the log say nothing of what a campaign says', async () => {
    const app = await rig.makeSendingApp();
    const { userId, pushToken } = await rig.device(app, { provider: 'apns' });
    rig.sandbox.script('apns', { token: pushToken }, [{ kind: 'refuse', reason: 'BadPath' }]);
    const campaign = await makeCampaign(rig.db, app, [userId], { title: TITLE });
    const runId = await startRun(rig.db, campaign);

    start();
    await runIn(rig.db, runId, 'completed');
    await rig.close();

    expect(linesOf(lines.map((line) => line.trim()).join('\n'))).toContainEqual(
      expect.objectContaining({ msg: 'provider refused what we accepted', runId, ordinal: 0 }),
    );
    for (const secret of [TITLE, pushToken, userId])
      expect([...lines, ...collector.bodies].join()).not.toContain(secret);
  });
});

describe('a callback', () => {
  test('is a span, and the receiver hears nothing of it', async () => {
    const [rig, collector, receiver] = [
      await openCallbackRig(),
      await openTraceCollector(),
      await openReceiver([SECRET]),
    ];
    const tracing = await openTracing(readTracing(new EnvReader(toEnv(collector)), 'dispatcher'), {
      log: createLogger('test', 'silent'),
      version: undefined,
    });
    const { id, appRef } = await rig.makeCallback(receiver.url);
    receiver.answer((_, response) => void response.writeHead(503).end());
    await rig.tell(appRef, 3);

    const callbacks = rig.start({ settings: TEST_SETTINGS, ...(tracing && { tracing }) });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    receiver.answer((_, response) => void response.end());
    await eventually(async () =>
      expect(await rig.endpoint(id)).toMatchObject({ lastResult: '503' }),
    );
    await rig.makeDue(id);
    await eventually(() => expect(receiver.taken()).not.toEqual([]));
    await callbacks.close();
    await tracing?.close();

    expect(
      collector.spans
        .map(({ name, kind, isError, attributes }) => [
          name,
          kind,
          isError,
          attributes['heliograph.callback.result'],
        ])
        .slice(0, 2),
    ).toEqual([
      ['POST callback', CLIENT, true, '503'],
      ['POST callback', CLIENT, false, '200'],
    ]);
    expect(receiver.received.flatMap(({ headers }) => Object.keys(headers))).not.toContain(
      'traceparent',
    );
    await receiver.close();
    await rig.close();
    await collector.close();
  });
});

function find(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name}`);
  return found;
}

/** Matches the id of any of them. */
function toIds(spans: readonly CollectedSpan[]): RegExp {
  return new RegExp(`^(?:${spans.map(({ spanId }) => spanId).join('|')})$`);
}
