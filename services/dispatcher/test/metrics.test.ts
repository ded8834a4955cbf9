import { eventually, readMetricsTable } from '@heliograph/testing';

import { findMetricsUrl, scrape, sumOf, type Scrape } from './scrape.ts';
import { openStack, type Stack } from './stack.ts';

const USERS = 20;

let stack: Stack;
let api: Scrape;
let dispatcher: Scrape;

/** A real api and a real dispatcher after some sends, and all that they export. */
beforeAll(async () => {
  stack = await openStack();
  const users = await stack.makeAudience(USERS);
  const apiProcess = await stack.startApi({ METRICS_PORT: '0' });
  const dispatcherProcess = await stack.startDispatcher();
  const ids = await stack.post(apiProcess, users);
  await stack.settled(ids);
  await fetch(`${apiProcess.url}/push/message/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: 'no JSON',
  });
  await fetch(`${apiProcess.url}/no/such/path/for-alice`);

  const [apiUrl, dispatcherUrl] = [
    await findMetricsUrl(apiProcess),
    await findMetricsUrl(dispatcherProcess),
  ];
  dispatcher = await eventually(async () => {
    const seen = await scrape(dispatcherUrl);
    expect(sumOf(seen, 'heliograph_outcomes_total', { outcome: 'sent' })).toBe(USERS);
    expect(seen.samples.map(({ name }) => name)).toContain('heliograph_ledger_imbalance');
    return seen;
  });
  // A request is counted when its connection has taken the answer, which its caller may know sooner.
  api = await eventually(async () => {
    const seen = await scrape(apiUrl);
    expect(sumOf(seen, 'heliograph_http_requests_total', { route: 'unmatched' })).toBe(1);
    return seen;
  });
});
afterAll(() => stack.close());

const ofBoth = () => new Map([...api.types, ...dispatcher.types]);

describe('docs/metrics.md', () => {
  test('lists every metric that is exported, with its type, and no other', () => {
    const documented = readMetricsTable().map(({ name, type }) => [name, type]);

    const exported = [...ofBoth()].filter(([name]) => name.startsWith('heliograph_'));
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(exported));
    expect(new Set(documented.map(([name]) => name)).size).toBe(documented.length);
  });

  test.each([
    ['A dispatcher', () => dispatcher, () => api],
    ['The fleet', () => dispatcher, () => api],
    ['An api', () => api, () => dispatcher],
  ])('says who exports what: “%s”', (heading, has, hasNot) => {
    const names = readMetricsTable(heading).map(({ name }) => name);

    expect(names).not.toEqual([]);
    expect([...has().types.keys()]).toEqual(expect.arrayContaining(names));
    expect([...hasNot().types.keys()].filter((name) => names.includes(name))).toEqual([]);
  });

  test('names the labels that they have', () => {
    const documented = new Map(readMetricsTable().map(({ name, labels }) => [name, labels]));

    for (const { name, labels } of [...api.samples, ...dispatcher.samples]) {
      const metric = documented.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
      const own = Object.keys(labels).filter((label) => label !== 'le');
      expect([metric, own.toSorted()]).toEqual([metric, documented.get(metric)?.toSorted()]);
    }
  });

  test('means everything that has our prefix: there is nothing without it', () => {
    expect([...ofBoth().keys()].filter((name) => !name.startsWith('heliograph_'))).toEqual([]);
  });
});

describe('an api', () => {
  test('counts what it accepted, and requests by their endpoint, whatever stands in their path', () => {
    expect(sumOf(api, 'heliograph_messages_accepted_total', { surface: 'powerauth' })).toBe(USERS);
    expect(
      sumOf(api, 'heliograph_http_requests_total', {
        route: '/push/message/batch/send',
        method: 'POST',
        status: '200',
      }),
    ).toBe(USERS / 20);
    expect(
      sumOf(api, 'heliograph_http_requests_total', { route: 'unmatched', status: '404' }),
    ).toBe(1);
    expect(api.text).not.toContain('alice');
  });

  test('times them, in seconds', () => {
    const route = { route: '/push/message/batch/send' };

    expect(sumOf(api, 'heliograph_http_request_seconds_count', route)).toBe(1);
    expect(sumOf(api, 'heliograph_http_request_seconds_bucket', { ...route, le: '+Inf' })).toBe(1);
    expect(sumOf(api, 'heliograph_http_request_seconds_sum', route)).toBeGreaterThan(0);
  });

  test('counts its refusals by their code', () => {
    expect(sumOf(api, 'heliograph_refusals_total', { code: 'not_found' })).toBe(1);
    expect(sumOf(api, 'heliograph_refusals_total', { code: 'invalid_request' })).toBe(1);
  });

  test('says which build it is, and whether it reaches what it needs', () => {
    expect(sumOf(api, 'heliograph_build_info', { service: 'api', mode: 'sandbox' })).toBe(1);
    for (const component of ['database', 'redis'])
      expect(sumOf(api, 'heliograph_component_up', { component })).toBe(1);
  });
});

describe('a dispatcher', () => {
  test.each(['apns', 'fcm'])(
    'counts what it sent to %s, by app, and how long it took',
    (provider) => {
      const half = USERS / 2;

      expect(
        sumOf(dispatcher, 'heliograph_outcomes_total', { provider, app: '1', outcome: 'sent' }),
      ).toBe(half);
      expect(sumOf(dispatcher, 'heliograph_accept_to_provider_seconds_count', { provider })).toBe(
        half,
      );
      expect(
        sumOf(dispatcher, 'heliograph_provider_answer_seconds_count', {
          provider,
          lane: 'message',
        }),
      ).toBe(half);
      expect(sumOf(dispatcher, 'heliograph_sessions', { provider })).toBeGreaterThan(0);
    },
  );

  test('finds nothing wrong with the ledger', () => {
    expect(sumOf(dispatcher, 'heliograph_ledger_imbalance')).toBe(0);
  });

  test('says nothing of users, devices and tokens', () => {
    const text = dispatcher.text + api.text;

    expect(text).not.toContain('user-');
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });
});
