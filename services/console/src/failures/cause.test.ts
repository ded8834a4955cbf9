import { readCause, readFilter, readPeriod, toCauseAddress, toSince } from './cause.ts';

const CAUSE = {
  appId: '7',
  platform: 'ios',
  lane: 'campaign',
  state: 'expired',
  reason: 'a reason & more=1',
} as const;

test('the address of a cause leads back to it', () => {
  const parameters = new URLSearchParams(toCauseAddress({ ...CAUSE, appId: 7 }, 'week').toString());
  expect(readCause(parameters)).toEqual(CAUSE);
  expect(readPeriod(parameters)).toBe('week');
});

test.each(['appId', 'platform', 'lane', 'state', 'reason'])('without %s it is no cause', (name) => {
  const parameters = toCauseAddress(CAUSE);
  parameters.delete(name);
  expect(readCause(parameters)).toBeUndefined();
});

test.each([
  ['', {}],
  ['appId=%20&platform=palm&lane=fast', {}],
  ['appId=%20shop%20&platform=android', { appId: 'shop', platform: 'android' }],
  ['lane=message', { lane: 'message' }],
])('the address ?%s narrows down by what there is', (address, filter) => {
  expect(readFilter(new URLSearchParams(address))).toEqual(filter);
});

test.each([
  ['day', '2026-11-25T08:00:00.000Z'],
  ['week', '2026-11-19T08:00:00.000Z'],
] as const)('a %s ago', (period, since) => {
  expect(toSince(period, Date.parse('2026-11-26T08:00:00Z'))).toBe(since);
});
