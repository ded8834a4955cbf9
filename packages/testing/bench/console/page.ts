import type { Page } from 'playwright-core';

import { inCheckout } from '../../src/checkout.ts';

/** Gives each document that the page will open what `in-page.js` does. */
export async function prepare(page: Page): Promise<void> {
  await page.addInitScript({ path: inCheckout('packages/testing/bench/console/in-page.js') });
}

/** Makes the page's processor so many times slower. */
export async function slowDown(page: Page, slowness: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowness });
}
