import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createHealth } from '../health.ts';
import { createLogger } from '../log.ts';
import { Metrics } from './metrics.ts';
import { writeMetrics } from './metrics-page.ts';
import { measureComponents, measureProcess } from './process-metrics.ts';

const linesOf = async (metrics: Metrics, name: string) =>
  (await metrics.render()).split('\n').filter((line) => line.startsWith(name));

describe('a histogram of durations', () => {
  const open = () => {
    const metrics = new Metrics();
    const seconds = metrics.durations({
      name: 'a_seconds',
      help: 'Of a.',
      labelNames: ['provider'],
      buckets: [0.1, 1],
    });
    return { metrics, seconds };
  };

  test('sums its buckets up, each with its bound', async () => {
    const { metrics, seconds } = open();
    const apns = seconds.of({ provider: 'apns' });

    for (const value of [0.05, 0.1, 0.5, 2, 4]) apns.observe(value);

    expect(await linesOf(metrics, 'a_seconds')).toEqual([
      'a_seconds_bucket{provider="apns",le="0.1"} 2',
      'a_seconds_bucket{provider="apns",le="1"} 3',
      'a_seconds_bucket{provider="apns",le="+Inf"} 5',
      'a_seconds_sum{provider="apns"} 6.65',
      'a_seconds_count{provider="apns"} 5',
    ]);
  });

  test('is one series per set of labels, whoever asks for it', async () => {
    const { metrics, seconds } = open();

    seconds.of({ provider: 'apns' }).observe(1);
    seconds.of({ provider: 'apns' }).observe(1);
    seconds.of({ provider: 'a "quoted" \\ one' }).observe(1);

    expect(await linesOf(metrics, 'a_seconds_count')).toEqual([
      'a_seconds_count{provider="apns"} 2',
      'a_seconds_count{provider="a \\"quoted\\" \\\\ one"} 1',
    ]);
  });

  test('is known before there is a value', async () => {
    expect(await open().metrics.render()).toContain('# TYPE a_seconds histogram\n');
  });
});

describe('a counter of what happens often', () => {
  test('tells all that came, once, however often it is asked', async () => {
    const metrics = new Metrics();
    const counts = metrics.counts({ name: 'b_total', help: 'Of b.', labelNames: ['what'] });
    const [one, other] = [counts.of({ what: 'one' }), counts.of({ what: 'other' })];

    one.add();
    one.add(4);
    await metrics.render();
    one.add();
    other.add(0);

    expect(await linesOf(metrics, 'b_total')).toEqual(['b_total{what="one"} 6']);
    expect(await linesOf(metrics, 'b_total')).toEqual(['b_total{what="one"} 6']);
  });
});

describe('a process', () => {
  test('says what it is, under our names only', async () => {
    const metrics = new Metrics();

    measureProcess(metrics, { service: 'api', version: '1.2.3', mode: 'sandbox' });

    expect(await linesOf(metrics, 'heliograph_build_info')).toEqual([
      'heliograph_build_info{service="api",version="1.2.3",mode="sandbox"} 1',
    ]);
    const names = (await metrics.render()).matchAll(/^# TYPE (\S+)/gm);
    expect(Array.from(names, ([, name]) => name)).toEqual(
      expect.arrayContaining(['heliograph_nodejs_eventloop_lag_p99_seconds']),
    );
  });

  test('says which of its components it does not reach', async () => {
    const metrics = new Metrics();
    const health = createHealth(createLogger('test', 'silent'));
    health.addCheck('database', () => Promise.resolve());
    health.addCheck('redis', () => Promise.reject(new Error('gone')));

    measureComponents(metrics, health);

    expect(await linesOf(metrics, 'heliograph_component_up')).toEqual([
      'heliograph_component_up{component="database"} 1',
      'heliograph_component_up{component="redis"} 0',
    ]);
  });

  test('answers 500 with the reason where something can’t be collected', async () => {
    const metrics = new Metrics();
    metrics.gauge({ name: 'broken', help: 'Of nothing.' }, () => {
      throw new Error('no idea');
    });
    const server = createServer((_, response) => void writeMetrics(metrics, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;

    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);

    expect([answer.status, await answer.text()]).toEqual([500, 'Error: no idea']);
    await new Promise((resolve) => server.close(resolve));
  });
});
