import { isRecord } from '../../http/reader.ts';
import type { Claims } from './open-id.ts';

/** What a claim says, by its name, or by the names on the way to it with dots between: `realm_access.roles`. */
export function findClaim(claims: Claims, name: string): unknown {
  // Names that are URLs have dots of their own.
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>(find, claims);
}

function find(place: unknown, step: string): unknown {
  return isRecord(place) && Object.hasOwn(place, step) ? place[step] : undefined;
}
