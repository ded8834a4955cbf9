import type { Browser } from 'playwright-core';

import { prepare, slowDown } from './page.ts';

/** What a browser that has never been there before saw, in milliseconds from the start of the navigation. */
export interface FirstPaint {
  /** First contentful paint. */
  readonly paintMs: number;
  /** When what was waited for was there and painted; undefined where nothing was. */
  readonly readyMs: number | undefined;
}

export interface Visit {
  readonly url: string;
  /** How many times slower than this machine the page's processor is. */
  readonly slowness: number;
  /** A selector of what the page is opened for. */
  readonly until?: string;
}

/** Opens the page with an empty cache. */
export async function visit(
  browser: Browser,
  { url, slowness, until }: Visit,
): Promise<FirstPaint> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await slowDown(page, slowness);
    await prepare(page);
    if (until !== undefined) await page.addInitScript(`bench.watchFor(${JSON.stringify(until)})`);
    await page.goto(url);
    return {
      paintMs: await page.evaluate<number>("bench.timeOf('paint', 'first-contentful-paint')"),
      readyMs:
        until === undefined
          ? undefined
          : await page.evaluate<number>("bench.timeOf('mark', 'ready')"),
    };
  } finally {
    await context.close();
  }
}
