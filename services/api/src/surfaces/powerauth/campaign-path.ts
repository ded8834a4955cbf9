import { Refusal } from '@heliograph/core';
import { Type } from '@sinclair/typebox';

import type { Endpoint } from '../../http/endpoint.ts';

const CampaignPath = Type.Object({
  id: Type.Integer({
    minimum: Number.MIN_SAFE_INTEGER,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'The campaign.',
    examples: [1],
  }),
});

const WHOLE = /^-?\d+$/;

/** The same endpoint, of the campaign that its path names: the id comes beside the endpoint's own input. */
export function ofCampaign<Input, Answer>(
  endpoint: Endpoint<Input, Answer>,
): Endpoint<{ readonly id: number; readonly input: Input }, Answer> {
  return {
    ...endpoint,
    params: CampaignPath,
    parse: (req) => ({ id: parseId(req.params['id']), input: endpoint.parse(req) }),
  };
}

/** Stricter than numbers in bodies: 1.5 is not to delete campaign 1, nor is a number that was rounded. */
function parseId(text: unknown): number {
  const id = typeof text === 'string' && WHOLE.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id))
    throw new Refusal('invalid_request', 'The id of a campaign is a whole number below 2^53.');
  return id;
}
