import { toApnsToken } from './push-token.ts';

test.each([
  ['00FCAB', '00fcab'],
  ['<00fcab 12 34>', '00fcab1234'],
  [' 00 fc\n', '00fc'],
])('%j is sent as %s', (pushToken, expected) => {
  expect(toApnsToken(pushToken)).toBe(expected);
});

test.each(['', '<>', '../1/apps/x', 'ab?c', 'ab%2f', 'ab#', 'žluť', 'a\0b'])(
  '%j never reaches the path of a request',
  (pushToken) => {
    expect(toApnsToken(pushToken)).toBeUndefined();
  },
);
