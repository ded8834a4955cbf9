import type { Paged } from '@heliograph/client';

/** The page of a list that its query asks for, and no more: for lists that a person leafs through. */
export async function firstPage<Item, Page>(list: Paged<Item, Page>): Promise<Page> {
  for await (const page of list.pages()) return page;
  throw new Error('The api answered no page.');
}
