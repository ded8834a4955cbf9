import type { IncomingMessage } from 'node:http';

import { Refusal } from '@heliograph/core';

const MAX_HEADERS = 100;

/** Refuses a request with more headers than anybody needs. Node would drop what is over its own bound without a word. */
export function refuseHeaderFlood({ rawHeaders }: IncomingMessage): void {
  if (rawHeaders.length > 2 * MAX_HEADERS)
    throw new Refusal('too_many_headers', `A request may have ${MAX_HEADERS} headers.`);
}
