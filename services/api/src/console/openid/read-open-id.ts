import { isRole, ROLES, type Role } from '@heliograph/core';
import type { EnvReader } from '@heliograph/runtime';

import { isLoopback } from '../../http/loopback.ts';
import type { OpenIdSettings } from './open-id.ts';

/** None of them means anything without an issuer. */
const OTHERS = [
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_CLIENT_SECRET_FILE',
  'OIDC_NAME',
  'OIDC_ROLE_CLAIM',
  'OIDC_ROLES',
  'OIDC_SCOPES',
];
const MAX_NAME = 40;
const SAME_NAMES = ROLES.map((role) => [role, role] as const);

/** Undefined where people sign in by passwords only. */
export function readOpenId(
  read: EnvReader,
  { allowHttp }: { readonly allowHttp: boolean },
): OpenIdSettings | undefined {
  if (read.optional('OIDC_ISSUER') === undefined) {
    const set = OTHERS.filter((name) => read.optional(name) !== undefined);
    if (set.length > 0) read.refuse(`${set.join(', ')}: of no use without OIDC_ISSUER`);
    return undefined;
  }
  return {
    issuer: readAddress(read, 'OIDC_ISSUER', false),
    clientId: read.str('OIDC_CLIENT_ID'),
    clientSecret: read.secret('OIDC_CLIENT_SECRET'),
    scopes: readScopes(read),
    name: readName(read),
    consoleUrl: readConsoleUrl(read, allowHttp),
    roleClaim: read.str('OIDC_ROLE_CLAIM', 'roles'),
    roles: readRoles(read),
  };
}

/** By https, or to this machine itself. */
function readAddress(read: EnvReader, name: string, allowHttp: boolean): URL {
  const text = read.url(name);
  const url = new URL(URL.canParse(text) ? text : 'https://nowhere.invalid');
  const { protocol, hostname, search, hash, username, password } = url;
  const isLocal = isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
  if (protocol !== 'https:' && !(protocol === 'http:' && (isLocal || allowHttp)))
    read.refuse(`${name} must be https, unless it is at this machine itself`);
  if ([search, hash, username, password].some((part) => part !== ''))
    read.refuse(`${name} must be an address without a query, a fragment and a user`);
  return url;
}

function readConsoleUrl(read: EnvReader, allowHttp: boolean): string {
  const { origin, pathname } = readAddress(read, 'CONSOLE_PUBLIC_URL', allowHttp);
  const path = pathname.replace(/\/$/, '');
  if (read.optional('CONSOLE_PUBLIC_URL') !== undefined && !path.endsWith('/console'))
    read.refuse('CONSOLE_PUBLIC_URL must end with /console, where people open it');
  return origin + path;
}

function readScopes(read: EnvReader): string {
  const scopes = read.str('OIDC_SCOPES', 'openid profile email').trim().split(/\s+/);
  if (!scopes.includes('openid')) read.refuse('OIDC_SCOPES must have openid among them');
  return scopes.join(' ');
}

function readName(read: EnvReader): string {
  const name = read.str('OIDC_NAME', 'SSO');
  if (name.length > MAX_NAME) read.refuse(`OIDC_NAME has more than ${MAX_NAME} characters`);
  return name;
}

/** `value=role,value=role`, the values percent-encoded: they may be names of a directory, with commas of their own. */
function readRoles(read: EnvReader): ReadonlyMap<string, Role> {
  const text = read.optional('OIDC_ROLES');
  if (text === undefined) return new Map(SAME_NAMES);
  const roles = new Map<string, Role>();
  for (const part of text.split(',').map((one) => one.trim())) {
    const at = part.lastIndexOf('=');
    const value = tryDecode(part.slice(0, at).trim());
    const role = part.slice(at + 1).trim();
    if (at < 1 || value === undefined || !isRole(role)) {
      read.refuse(
        `OIDC_ROLES is not a list of value=role, the values percent-encoded, with commas between; roles are ${ROLES.join(', ')}`,
      );
      break;
    }
    roles.set(value, role);
  }
  return roles;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
