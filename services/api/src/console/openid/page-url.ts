import type { OpenIdReason } from './open-id.ts';

/** Longer ones are none of ours, and would not fit into a cookie. */
const MAX_LENGTH = 1500;

/**
 * The address of the console's page that somebody asked for, and of its first page where that is none: whatever it says, it leads nowhere
 * else, and not to the API. `to` is what stands behind the address of the console: `/deliveries?userId=bob`.
 */
export function toPageUrl(consoleUrl: string, to: string): string {
  const first = `${consoleUrl}/`;
  if (to.length > MAX_LENGTH || !to.startsWith('/') || !URL.canParse(consoleUrl + to)) return first;
  const { origin, pathname, search } = new URL(consoleUrl + to);
  const page = origin + pathname;
  const isOfApi = /^\/session(?:\/|$)/i.test(page.slice(consoleUrl.length));
  return page.startsWith(first) && !isOfApi ? page + search : first;
}

/** The same page, which says there why nobody is signed in. */
export function toFailureUrl(page: string, reason: OpenIdReason): string {
  return `${page}#sign-in=${reason}`;
}
