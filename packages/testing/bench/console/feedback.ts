import type { Browser, Page } from 'playwright-core';

import { signIn } from '../../src/chromium.ts';
import { prepare, slowDown } from './page.ts';

export interface Person {
  readonly name: string;
  readonly password: string;
}

/** Something that a person presses. */
export interface Press {
  readonly name: string;
  /** Where it is pressed, below the console's address. */
  readonly at: string;
  /** What is pressed, and what must be filled in before. */
  readonly selector: string;
  readonly fill?: { readonly selector: string; readonly text: string };
}

/** How long after each press something new was to be seen, in milliseconds. Each page is opened anew; nothing is pressed twice. */
export async function measureFeedback(
  browser: Browser,
  consoleUrl: string,
  person: Person,
  presses: readonly Press[],
  slowness: number,
): Promise<ReadonlyMap<string, number>> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await prepare(page);
    await page.goto(consoleUrl);
    await signIn(page, person);
    await page.locator('nav a').first().waitFor();
    await slowDown(page, slowness);
    const times = new Map<string, number>();
    for (const press of presses) times.set(press.name, await measure(page, consoleUrl, press));
    return times;
  } finally {
    await context.close();
  }
}

async function measure(page: Page, consoleUrl: string, press: Press): Promise<number> {
  await page.goto(consoleUrl + press.at);
  const control = page.locator(press.selector).first();
  await control.waitFor();
  if (press.fill !== undefined) await page.locator(press.fill.selector).fill(press.fill.text);
  // What moves by itself, such as what is fetched again and again, has a moment to come to rest.
  await control.hover();
  await page.waitForFunction('bench.isQuiet()');
  await page.evaluate('bench.watchClick()');
  await control.click();
  return page.evaluate<number>('bench.changed');
}
