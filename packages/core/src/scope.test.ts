import { allows, isScope, SCOPES } from './scope.ts';

describe('allows', () => {
  test.each(SCOPES)('lets %s do what it names, and admin do it too', (scope) => {
    expect(allows([scope], [scope])).toBe(true);
    expect(allows(['admin'], [scope])).toBe(true);
  });

  test('lets one of the needed scopes do', () => {
    expect(allows(['read'], ['send', 'read'])).toBe(true);
  });

  test.each([
    [['read'], ['send']],
    [['campaigns'], ['campaigns:send']],
    [['campaigns:send'], ['campaigns']],
    [['send', 'devices', 'campaigns', 'campaigns:send', 'read'], ['admin']],
    [[], ['read']],
  ] as const)('does not let %j do what takes %j', (scopes, needed) => {
    expect(allows(scopes, needed)).toBe(false);
  });
});

test('isScope knows the scopes, and nothing else', () => {
  expect(SCOPES.every(isScope)).toBe(true);
  expect(['Admin', '', 'campaigns:', 'toString'].some(isScope)).toBe(false);
});
