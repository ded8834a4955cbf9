import { ROLES, type Role } from '@heliograph/core';

import { findClaim } from './find-claim.ts';
import type { Claims, OpenIdSettings } from './open-id.ts';

/** The role that may do most of those that the provider gives somebody; undefined where it gives none. */
export function toRole(
  claims: Claims,
  { roleClaim, roles }: Pick<OpenIdSettings, 'roleClaim' | 'roles'>,
): Role | undefined {
  const values: unknown[] = [findClaim(claims, roleClaim)].flat();
  const given = new Set(values.map((value) => typeof value === 'string' && roles.get(value)));
  return ROLES.toReversed().find((role) => given.has(role));
}
