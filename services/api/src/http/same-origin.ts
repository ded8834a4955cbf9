import type { IncomingMessage } from 'node:http';

import type { Transport } from './encrypted-only.ts';

/**
 * Whether a page of ours sent it, as far as its headers tell; who is no browser sends none of them. `Sec-Fetch-Site` can't be forged by a
 * page, and is right behind proxies that rename the host. Browsers that are too old for it, or come by plain http, name their origin.
 */
export function isSameOrigin({ headers }: IncomingMessage, transport: Transport): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host = '' } = headers;
  if (origin === undefined) return true;
  return (
    origin.toLowerCase() === `${transport === 'https' ? 'https' : 'http'}://${host}`.toLowerCase()
  );
}
