import { createEndpoints, type Endpoints } from './generated/endpoints.ts';
import { createHttp, type ClientOptions } from './http.ts';
import { SYSTEM_TIMING } from './timing.ts';

/** Every endpoint of the API, in groups. Holds no connection and no timer: there is nothing to close. */
export type HeliographClient = Endpoints;

/** Throws a TypeError where an option makes no sense; connects only when a method is called. */
export function createClient(options: ClientOptions): HeliographClient {
  if (options.apiKey !== undefined && options.basic !== undefined)
    throw new TypeError('There is an apiKey and a basic: one shows who calls.');
  return createEndpoints(createHttp(options, SYSTEM_TIMING));
}
