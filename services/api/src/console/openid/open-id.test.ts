import { createSecretBox, ROLES } from '@heliograph/core';

import { findClaim } from './find-claim.ts';
import { findAttempt, toAttemptCookie } from './open-id-attempt.ts';
import { toFailureUrl, toPageUrl } from './page-url.ts';
import { toRole } from './to-role.ts';
import { toUserNames } from './to-user-names.ts';

describe('the role that a provider gives somebody', () => {
  const roles = new Map([
    ['CN=Push, OU=Admins', 'admin'],
    ['marketing', 'sender'],
    ['staff', 'viewer'],
  ] as const);
  const roleClaim = 'roles';

  test.each([
    [{ roles: ['staff'] }, 'viewer'],
    [{ roles: 'marketing' }, 'sender'],
    [{ roles: ['staff', 'CN=Push, OU=Admins', 'marketing'] }, 'admin'],
    [{ roles: ['others', 'staff', 7, null, { staff: true }] }, 'viewer'],
    [{ roles: ['admin'] }, undefined],
    [{ roles: [] }, undefined],
    [{ roles: 'staff marketing' }, undefined],
    [{ roles: { staff: true } }, undefined],
    [{}, undefined],
  ])('by %j is %s', (claims, role) => {
    expect(toRole(claims, { roleClaim, roles })).toBe(role);
  });

  test('is the highest of several', () => {
    const same = new Map(ROLES.map((role) => [role, role] as const));

    const given = ROLES.map((_, n) =>
      toRole({ roles: ROLES.slice(0, n + 1) }, { roleClaim, roles: same }),
    );

    expect(given).toEqual(ROLES);
  });
});

describe('a claim', () => {
  test.each([
    ['roles', ['a']],
    ['realm_access.roles', ['b']],
    ['https://example.com/roles', ['c']],
    ['resource_access.push.roles', undefined],
    ['toString', undefined],
    ['realm_access.roles.length', undefined],
    ['roles.0', undefined],
  ])('%s is found by its name, or on the way to it', (name, found) => {
    const claims = {
      roles: ['a'],
      realm_access: { roles: ['b'] },
      'https://example.com/roles': ['c'],
    };

    expect(findClaim(claims, name)).toEqual(found);
  });
});

describe('the name of a new user', () => {
  test.each([
    [{ name: 'Ada', email: 'x@y.example', subject: '1' }, 'ada'],
    [{ name: 'Ada Lovelace', email: 'Ada@Example.com', subject: '1' }, 'ada@example.com'],
    [{ name: 7, email: null, subject: 'auth0|5F' }, 'auth0-5f'],
    [{ subject: 'f3b2' }, 'f3b2'],
    [{ subject: '___' }, 'user'],
    [{ subject: `|${'x'.repeat(300)}` }, 'x'.repeat(64)],
  ])('of %j is %s', (sayings, name) => {
    expect(toUserNames(sayings)[0]).toBe(name);
  });

  test('has a number where somebody else has it, and is none too long with that', () => {
    const names = toUserNames({ name: 'x'.repeat(64) });

    expect(names.slice(0, 2)).toEqual(['x'.repeat(64), `${'x'.repeat(62)}-2`]);
    expect(new Set(names).size).toBe(20);
    expect(Math.max(...names.map(({ length }) => length))).toBe(64);
  });

  test('is none where nothing is said', () => {
    expect(toUserNames({})).toEqual([]);
  });
});

describe('the page that is shown afterwards', () => {
  const console = 'https://push.example/base/console';

  test.each([
    ['/', '/'],
    ['/deliveries?userId=bob&x=%C3%A4', '/deliveries?userId=bob&x=%C3%A4'],
    ['/apps/ü', '/apps/%C3%BC'],
    ['/a/../b', '/b'],
    ['//evil.example/x', '//evil.example/x'],
    ['/x#y', '/x'],
  ])('of %s is that one', (to, page) => {
    expect(toPageUrl(console, to)).toBe(console + page);
  });

  test.each([
    '',
    'https://evil.example/',
    '//',
    '@evil.example/',
    '.evil.example/',
    '\\\\evil.example',
    '/../../evil',
    '/..\\..\\evil',
    '/session',
    '/session/oidc?to=/',
    '/x/../session',
    '/%2e%2e/%2e%2e/evil',
    `/${'x'.repeat(1500)}`,
  ])('of %j is never elsewhere', (to) => {
    const page = toPageUrl(console, to);

    expect(page.startsWith(`${console}/`)).toBe(true);
    expect(new URL(page).pathname).not.toMatch(/evil|session/);
  });

  test('may say why nobody is signed in', () => {
    expect(toFailureUrl(`${console}/a?b`, 'no_role')).toBe(`${console}/a?b#sign-in=no_role`);
  });
});

describe('what a browser keeps of a sign-in that is under way', () => {
  const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const now = new Date('2026-01-01T00:00:00Z');
  const attempt = {
    state: 's',
    nonce: 'n',
    codeVerifier: 'v',
    to: `/${'x'.repeat(1500)}`,
    endsAt: now.getTime() + 1,
  };
  const find = (cookie: string, key = one, at = now) =>
    findAttempt({ headers: { cookie } } as never, createSecretBox(key), 'https', at);
  const seal = (key = one) => toAttemptCookie(attempt, createSecretBox(key), 'https');

  test('is for us alone, for ten minutes, over https, and comes back from other sites', () => {
    const cookie = seal();

    expect(cookie).toMatch(
      /^__Host-heliograph-oidc=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    // As much as browsers take.
    expect(cookie.length).toBeLessThan(4096);
    expect(find(cookie.split(';')[0] ?? '')).toEqual(attempt);
  });

  test('is good at every server that has the key, and at no other', () => {
    const [cookie = ''] = seal().split(';');
    const [foreign = ''] = seal(other).split(';');

    expect(
      findAttempt({ headers: { cookie } } as never, createSecretBox(other, [one]), 'https', now),
    ).toEqual(attempt);
    expect([
      find(cookie, other),
      find(foreign),
      find(cookie, one, new Date(now.getTime() + 1)),
      find(`${cookie}; ${cookie}`),
      find(cookie.slice(0, -2)),
      find('__Host-heliograph-oidc='),
      find(cookie.replace('__Host-', '')),
    ]).toEqual(Array(7).fill(undefined));
  });
});
