import type { Outcome } from '@heliograph/core';

import { PROXY_ANSWERS, toLost, toProxyOutcome, type ProxyAnswer } from './answers.ts';

const NOW = new Date('2026-11-26T12:00:00Z');
const NGINX_PAGE = '<html>\r\n<head><title>400 Bad Request</title></head>\r\n</html>';

interface Given extends Partial<ProxyAnswer> {
  readonly goneOn?: readonly number[];
  readonly retry?: 'documented' | 'until_expiry';
  readonly hasSucceeded?: boolean;
}

function outcomeOf(status: number, given: Given = {}): Outcome {
  const { goneOn = [410], retry = 'documented', hasSucceeded = true, ...rest } = given;
  const answer = { status, body: '', ...rest };
  return toProxyOutcome({ answer, policy: { goneOn, retry }, hasSucceeded, now: NOW });
}

const fail = (status: number) => ({ kind: 'fail', reason: `http_${status}` });
const trouble = (status: number) => ({
  kind: 'retry',
  reason: `http_${status}`,
  backoff: 'proxy_trouble',
  bound: 'count',
  limit: 4,
});
const alarm = (reason: string) => ({ kind: 'fail', reason, alarm: true });
const refused = { kind: 'pause', reason: 'certificate_refused', scope: 'endpoint' };
const throttled = {
  kind: 'retry',
  reason: 'http_429',
  backoff: 'proxy_throttled',
  bound: 'expiry',
  throttles: 'project',
};

const ROWS: readonly [status: number, given: Given, outcome: object][] = [
  [200, {}, { kind: 'sent' }],
  [200, { contentType: 'text/html', body: NGINX_PAGE, hasSucceeded: false }, { kind: 'sent' }],
  [202, {}, { kind: 'sent' }],
  [204, {}, { kind: 'sent' }],
  [299, {}, { kind: 'sent' }],
  [301, {}, alarm('http_redirect')],
  [302, {}, alarm('http_redirect')],
  [307, {}, alarm('http_redirect')],
  [399, {}, alarm('http_redirect')],
  [400, { body: '{"error":"x"}', hasSucceeded: false }, fail(400)],
  [400, { body: NGINX_PAGE }, fail(400)],
  [400, { body: NGINX_PAGE, hasSucceeded: false }, refused],
  [400, { body: '?', contentType: 'text/html; charset=utf-8', hasSucceeded: false }, refused],
  [400, { body: '  <!DOCTYPE html>', hasSucceeded: false }, refused],
  [400, { body: '<h1>400 The SSL certificate error</h1>' }, refused],
  [400, { body: '400 No required SSL certificate was sent' }, refused],
  [401, {}, { kind: 'pause', reason: 'http_401', scope: 'credential' }],
  [403, {}, { ...fail(403), refusedBy: 'device' }],
  [404, {}, { ...fail(404), pauseAfter: 10 }],
  [404, { goneOn: [404, 410] }, { kind: 'gone', reason: 'http_404', fault: 'dead' }],
  [405, {}, fail(405)],
  [407, {}, { kind: 'pause', reason: 'http_407', scope: 'credential' }],
  [408, {}, trouble(408)],
  [410, {}, { kind: 'gone', reason: 'http_410', fault: 'dead' }],
  [410, { goneOn: [] }, fail(410)],
  [413, {}, fail(413)],
  [415, {}, fail(415)],
  [422, {}, fail(422)],
  [425, {}, trouble(425)],
  [429, {}, throttled],
  [429, { retryAfter: '120' }, { ...throttled, retryAfterMs: 120_000 }],
  [429, { retryAfter: 'soon' }, throttled],
  [495, {}, refused],
  [496, {}, refused],
  [500, {}, trouble(500)],
  [500, { retry: 'until_expiry' }, { ...retryLong(500) }],
  [502, { body: NGINX_PAGE, hasSucceeded: false }, trouble(502)],
  [503, { retryAfter: '30' }, { ...trouble(503), retryAfterMs: 30_000 }],
  [
    503,
    { retryAfter: 'Thu, 26 Nov 2026 12:00:45 GMT', retry: 'until_expiry' },
    { ...retryLong(503), retryAfterMs: 45_000 },
  ],
  [504, {}, trouble(504)],
  [599, {}, trouble(599)],
  [402, {}, alarm('http_402')],
  [418, {}, alarm('http_418')],
  [451, {}, alarm('http_451')],
  [600, {}, alarm('http_600')],
];

function retryLong(status: number) {
  return {
    kind: 'retry',
    reason: `http_${status}`,
    backoff: 'proxy_trouble_long',
    bound: 'expiry',
  };
}

describe('the answer of a proxy', () => {
  test.each(ROWS)('%i with %j', (status, given, outcome) => {
    expect(outcomeOf(status, given)).toEqual(outcome);
  });

  test('has a test for every row', () => {
    const untested = PROXY_ANSWERS.filter(
      ({ from, to = from }) => !ROWS.some(([status]) => status >= from && status <= to),
    );

    expect(untested).toEqual([]);
  });
});

describe('an answer that never came', () => {
  test.each([
    ['documented', 'proxy_trouble'],
    ['until_expiry', 'proxy_trouble_long'],
  ] as const)('counts among the four attempts, %s', (retry, backoff) => {
    expect(toLost('timeout', { goneOn: [], retry })).toEqual({
      kind: 'ambiguous',
      reason: 'timeout',
      backoff,
      limit: 4,
    });
  });
});
