import { Refusal } from '@heliograph/core';
import { Type } from '@sinclair/typebox';

import type { Endpoint } from '../../http/endpoint.ts';

const Verify = Type.Object({
  verify: Type.Optional(
    Type.Boolean({
      description:
        'Whether the credential is saved only where its provider takes it. 400: it does not; 503: nobody could tell. Either way nothing was saved.',
    }),
  ),
});

/** The same endpoint, whose query may say that the credential is to be checked at its provider before it is saved. */
export function verifying<Input extends object, Answer>(
  endpoint: Endpoint<Input, Answer>,
): Endpoint<Input & { readonly verify: boolean }, Answer> {
  return {
    ...endpoint,
    query: Verify,
    parse: (req) => ({ ...endpoint.parse(req), verify: parseVerify(req.query['verify']) }),
  };
}

/** Stricter than flags in bodies: whoever wrote half of it would take a credential that nobody has looked at for a good one. */
function parseVerify(given: unknown): boolean {
  if (given === undefined || given === 'false') return false;
  if (given === 'true') return true;
  throw new Refusal('invalid_request', 'verify must be true or false.');
}
