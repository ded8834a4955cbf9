import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox';

import type { Endpoint } from '../../http/endpoint.ts';
import { takingFrom, takingNothing } from './envelope.ts';

const MAX_PAGE = 2 ** 31 - 1;
const DEFAULT_SIZE = 20;
const MAX_SIZE = 2000;

const PagingQuery = Type.Object({
  page: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: 'Counted from 0; nonsense counts as 0.' }),
  ),
  size: Type.Optional(
    Type.Integer({
      minimum: 1,
      default: DEFAULT_SIZE,
      description: `What is above ${MAX_SIZE} counts as that, nonsense as the default.`,
    }),
  ),
});

/** Which part of a list a caller wants. */
export interface Paging {
  readonly page: number;
  readonly size: number;
}

/** An endpoint that takes `page` and `size` from the query string, and refuses neither, as the original does. */
export function takingPaging(doc: Parameters<typeof takingNothing>[0]): Endpoint<Paging, void> {
  return {
    ...takingNothing(doc),
    from: 'query',
    request: PagingQuery,
    parse: ({ query }) => toPaging(query),
  };
}

/** An endpoint that takes them so beside other input from the query string. */
export function takingPageOf<T extends TObject>(
  request: T,
  doc: Parameters<typeof takingNothing>[0],
): Endpoint<Static<T> & Paging, void> {
  const endpoint = takingFrom('query', request, doc);
  return {
    ...endpoint,
    request: Type.Composite([request, PagingQuery]),
    parse: (req) => ({ ...endpoint.parse(req), ...toPaging(req.query) }),
  };
}

/** The same endpoint, answering a page: what is effective of `page` and `size` stands beside the `responseObject`. */
export function answeringPage<T extends TSchema, Input>(
  answer: T,
  endpoint: Endpoint<Input, void>,
): Endpoint<Input, Paging & { readonly content: Static<T> }> {
  return {
    ...endpoint,
    answer: Type.Object({
      status: Type.Literal('OK'),
      responseObject: answer,
      page: Type.Integer(),
      size: Type.Integer(),
    }),
    wrap: ({ content, page, size }) => ({ status: 'OK', responseObject: content, page, size }),
  };
}

function toPaging(query: Readonly<Record<string, unknown>>): Paging {
  const size = findWhole(query['size']) ?? 0;
  return {
    page: Math.min(Math.max(findWhole(query['page']) ?? 0, 0), MAX_PAGE),
    size: size < 1 ? DEFAULT_SIZE : Math.min(size, MAX_SIZE),
  };
}

function findWhole(text: unknown): number | undefined {
  return typeof text === 'string' && /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined;
}
