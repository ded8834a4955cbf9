import { ROLES, isRole, toScopes } from './role.ts';
import { SCOPES } from './scope.ts';

test.each([
  ['viewer', ['read']],
  ['editor', ['read', 'campaigns']],
  ['sender', ['read', 'campaigns', 'campaigns:send', 'send']],
  ['admin', SCOPES],
] as const)('a %s may %j', (role, scopes) => {
  expect(toScopes(role)).toEqual(scopes);
});

test('each role may do what the one before it may', () => {
  for (const [index, role] of ROLES.slice(1).entries())
    expect(toScopes(role)).toEqual(expect.arrayContaining([...toScopes(ROLES[index] ?? role)]));
});

test('nothing else is a role', () => {
  expect(['viewer', 'Viewer', 'root', 'toString'].map(isRole)).toEqual([true, false, false, false]);
});
