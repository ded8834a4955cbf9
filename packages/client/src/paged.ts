import type { CallOptions, Endpoint, Http } from './http.ts';

/** A list that is fetched page by page, as far as it is gone through. */
export interface Paged<Item, Page> extends AsyncIterable<Item> {
  /** The answers of the server, each with a page of it. */
  pages(): AsyncIterable<Page>;
}

/** As many as the server gives at once of some lists, and half of what it gives of others. */
const PAGE_SIZE = 1000;

/** Goes on until a page is not full. What is added or removed meanwhile moves what comes after it. */
export function pagesByNumber<Item, Page>(
  http: Http,
  endpoint: Endpoint,
  items: (page: Page) => readonly Item[],
  options: CallOptions | undefined,
): Paged<Item, Page> {
  return toPaged(async function* () {
    const query = { page: 0, size: PAGE_SIZE, ...endpoint.query };
    for (let { page } = query; ; page += 1) {
      const { content, size } = await http.page<Page>(
        { ...endpoint, query: { ...query, page } },
        options,
      );
      yield content;
      if (items(content).length < size || size === 0) return;
    }
  }, items);
}

export interface Cursor<Item, Page> {
  /** The parameter that takes it. */
  readonly parameter: string;
  /** The parameter that has the length of a page. */
  readonly size: string;
  readonly items: (page: Page) => readonly Item[];
  readonly next: (page: Page) => string | null;
}

/** Goes on until there is no cursor, or nothing behind it. */
export function pagesByCursor<Item, Page>(
  http: Http,
  endpoint: Endpoint,
  { parameter, size, items, next }: Cursor<Item, Page>,
  options: CallOptions | undefined,
): Paged<Item, Page> {
  return toPaged(async function* () {
    let query: object = { [size]: PAGE_SIZE, ...endpoint.query };
    for (;;) {
      const page = await http.call<Page>({ ...endpoint, query }, options);
      yield page;
      const cursor = next(page);
      if (cursor === null || items(page).length === 0) return;
      query = { ...query, [parameter]: cursor };
    }
  }, items);
}

function toPaged<Item, Page>(
  pages: () => AsyncGenerator<Page, void>,
  items: (page: Page) => readonly Item[],
): Paged<Item, Page> {
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* items(page);
    },
  };
}
