import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';

import { Metrics } from '@heliograph/runtime';
import { eventually } from '@heliograph/testing';

import { makeKey } from '../../test/access/world.ts';
import { openEvents } from '../../test/open-events.ts';
import { openTestApi, type TestApi, type TestApiOptions } from '../../test/open-test-api.ts';
import { createApiMetrics } from './api-metrics.ts';
import { openMetricsServer } from './metrics-server.ts';

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

/** An api, and what it tells of itself: the lines of a metric that are not 0, without its name. */
async function openMeasured(options: TestApiOptions = {}) {
  const metrics = new Metrics();
  const api = await openTestApi({ ...options, metrics: createApiMetrics(metrics) });
  open.push(api);
  const read = async (name: string) =>
    (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith(name) && !line.endsWith(' 0'))
      .map((line) => line.slice(name.length).trim())
      .toSorted();
  /** A request is counted when its connection has taken the answer, which its caller may know sooner. */
  const shows = (name: string, lines: readonly string[]) =>
    eventually(async () => expect(await read(name)).toEqual(lines));
  return { api, metrics, read, shows };
}

/** A request that is worked on for as long as its connection is there. */
function beginSlowly(api: TestApi): Socket {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.write('POST /push/device/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  return socket;
}

const REQUESTS = 'heliograph_http_requests_total';
const line = (route: string, method: string, status: string, count = 1) =>
  `{route="${route}",method="${method}",status="${status}"} ${count}`;

describe('requests', () => {
  test('are counted by the template of their endpoint, with every id in one', async () => {
    const { api, shows } = await openMeasured();

    await api.get(`/push/message/${randomUUID()}`);
    await api.get(`/push/message/${randomUUID()}`);
    await api.call('PUT', `/push/message/${randomUUID()}`);
    await api.get('/actuator/health/liveness');

    await shows(REQUESTS, [
      line('/actuator/health/liveness', 'GET', '200'),
      line('/push/message/:id', 'GET', '404', 2),
      line('/push/message/:id', 'PUT', '405'),
    ]);
  });

  test('are called the same under every base path', async () => {
    const { api, shows } = await openMeasured({ basePaths: ['/', '/powerauth-push-server'] });

    await api.get('/push/service/status');
    await api.get('/powerauth-push-server/push/service/status');

    await shows(REQUESTS, [line('/push/service/status', 'GET', '200', 2)]);
  });

  test('that are signed have templates too, and name neither user nor request', async () => {
    const { api, shows } = await openMeasured();

    await api.call('POST', '/api/1.0/push/alice@acme.com', {});
    await api.get(`/api/1.0/push/requests/${randomUUID()}`);

    await shows(REQUESTS, [
      line('/api/1.0/push/:receiver', 'POST', '401'),
      line('/api/1.0/push/requests/:requestId', 'GET', '401'),
    ]);
  });

  test('for nothing that there is share one name, whatever they ask for', async () => {
    const { api, shows } = await openMeasured();

    for (const path of ['/wp-login.php', '/alice', '/alice"}', '/%00']) await api.get(path);
    await api.call('PROPFIND', '/alice');

    await shows(REQUESTS, [line('unmatched', 'GET', '404', 4), line('unmatched', 'other', '404')]);
  });

  test('whose caller goes away have no status', async () => {
    const { api, shows } = await openMeasured({ maxRequests: 1 });
    const slow = beginSlowly(api);
    await eventually(async () => expect((await api.get('/push/service/status')).status).toBe(503));

    slow.destroy();

    await shows(`${REQUESTS}{route="/push/device/delete"`, [',method="POST",status="none"} 1']);
  });

  test('of live streams are counted, and not timed', async () => {
    const { api, read, shows } = await openMeasured();
    await api.post('/admin/app/create', { appId: 'app-1' });

    const stream = await openEvents(`${api.url}/inbox/messages/stream?userId=u&applications=app-1`);
    expect(stream.status).toBe(200);
    stream.close();
    stream.ended.catch(() => undefined);

    await shows(REQUESTS, [
      line('/admin/app/create', 'POST', '200'),
      line('/inbox/messages/stream', 'GET', '200'),
    ]);
    expect(await read('heliograph_http_request_seconds_count')).toEqual([
      '{route="/admin/app/create"} 1',
    ]);
  });
});

describe('what is refused', () => {
  test('is counted by its code, and what comes too fast once more', async () => {
    const { api, read } = await openMeasured({ auth: 'on' });
    const { text } = await makeKey(api.db, { ratePerSecond: 0.0001 });
    const ask = (key: string) =>
      api.call('GET', '/push/campaign/list', undefined, { authorization: `Bearer ${key}` });

    const statuses = [];
    for (const key of [text, text, text, 'wrong']) statuses.push((await ask(key)).status);

    expect(statuses).toEqual([200, 429, 429, 401]);
    expect(await read('heliograph_refusals_total')).toEqual([
      '{code="rate_limited"} 2',
      '{code="unauthenticated"} 1',
    ]);
    expect(await read('heliograph_rate_limited_total')).toEqual(['2']);
  });

  test('is counted as shed where there is too much at once, before anything is made of it', async () => {
    const { api, read } = await openMeasured({ maxRequests: 1 });
    const slow = beginSlowly(api);

    await eventually(async () => expect((await api.get('/push/service/status')).status).toBe(503));

    expect(await read('heliograph_shed_total')).toEqual(['{why="requests"} 1']);
    slow.destroy();
  });
});

describe('the listener for metrics', () => {
  test('tells them to whoever asks, and nothing else', async () => {
    const { metrics } = await openMeasured();
    const server = await openMetricsServer(metrics, { host: '127.0.0.1', port: 0 });
    const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);

    const answer = await ask('/metrics');
    const others = [await ask('/'), await ask('/push/service/status'), await ask('/metrics/x')];

    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('# TYPE heliograph_http_requests_total counter');
    expect(others.map(({ status }) => status)).toEqual([404, 404, 404]);
    await server.close();
  });

  test('is not the one for callers', async () => {
    const { api } = await openMeasured();

    expect((await api.get('/metrics')).status).toBe(404);
  });
});
