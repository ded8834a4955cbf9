// `npm run pictures`: the console as docs/console.md shows it, anew: every page of pictures.json, light and dark, from a server with a believable
// past. Names stay, so that git tells what changed.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { call } from './admin.mjs';
import { build } from './build.mjs';
import { fetchProgram, findProgram } from './debian.mjs';
import { ROOT, throwawayFolder } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { furnish } from './pictures-past.mjs';
import { run } from './run.mjs';
import { main, unlessStopped } from './signals.mjs';
import { startStack } from './stack.mjs';

const PICTURES = JSON.parse(readFileSync(path.join(ROOT, 'infra/local/pictures.json'), 'utf8'));
const FOLDER = path.join(ROOT, 'docs/console');
const LOOKS = ['light', 'dark'];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** A page that is longer is cut there. */
const MAX_HEIGHT = 1500;
const PERSON = { name: 'ada', password: 'only-for-the-pictures', role: 'admin' };

// Google is nobody who wants to be approached carefully here.
process.env.FCM_START_RATE_PER_SECOND ??= '9000';

await main(async (signal) => {
  await installIfNeeded(signal);
  await build(signal);
  const programs = {
    chromium: await getProgram('chromium', signal),
    pngquant: await getProgram('pngquant', signal),
  };
  const folder = await throwawayFolder('pictures');
  try {
    const stack = await startStack({ folder, providers: 'sandbox', port: 0, signal });
    try {
      const work = takeAll(stack, programs);
      await unlessStopped(signal, Promise.race([work, stack.failure()]));
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
});

async function getProgram(name, signal) {
  return findProgram(name) ?? (await fetchProgram(name, signal));
}

async function takeAll(stack, { chromium, pngquant }) {
  await call(stack.api, 'POST', '/admin/user/create', PERSON);
  const names = await furnish(stack);
  // Not there yet when this file is loaded on a fresh checkout.
  const { launchChromium, signIn } = await import('@heliograph/testing/chromium');
  const browser = await launchChromium(chromium);
  try {
    const consoleUrl = `${stack.api.baseUrl}/console`;
    const small = PICTURES.filter(({ phone }) => phone);
    const common = { signIn, pngquant, consoleUrl, names };
    for (const look of LOOKS) {
      await takeSome(browser, { ...common, look, viewport: DESKTOP }, PICTURES);
      await takeSome(browser, { ...common, look, viewport: PHONE, suffix: '-phone' }, small);
    }
  } finally {
    await browser.close();
  }
}

async function takeSome(browser, options, pictures) {
  const { signIn, pngquant, consoleUrl, names, look, viewport, suffix = '' } = options;
  const context = await browser.newContext({
    viewport,
    colorScheme: look,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const take = async ({ name, at, fill }) => {
    await page.setViewportSize(viewport);
    await page.goto(consoleUrl + at.replaceAll(/\{(\w+)\}/g, (_, key) => names[key]));
    await page.locator('h1').waitFor();
    await page
      .getByRole('status', { name: 'Wait a moment' })
      .first()
      .waitFor({ state: 'detached' });
    if (fill) await fillCampaign(page);
    await settle(page);
    // As high as it is: what stands beside the page goes down with it.
    const height = Math.min(MAX_HEIGHT, await page.evaluate('document.body.scrollHeight'));
    await page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) });
    const png = await page.screenshot({
      animations: 'disabled',
      caret: 'hide',
    });
    const file = path.join(FOLDER, `${name}${suffix}-${look}.png`);
    writeFileSync(file, png);
    await run(pngquant, ['--force', '--ext', '.png', '--strip', file]);
    console.log(path.basename(file));
  };
  for (const picture of pictures.filter(({ signedOut }) => signedOut)) await take(picture);
  await page.goto(consoleUrl);
  await signIn(page, PERSON);
  await page.locator('h1', { hasText: 'Overview' }).waitFor();
  for (const picture of pictures.filter(({ signedOut }) => !signedOut)) await take(picture);
  await context.close();
}

/** The focus is nowhere, and what comes in parts is there. */
async function settle(page) {
  await page.evaluate('document.activeElement.blur()');
  await page.mouse.move(0, 0);
  await page.evaluate('document.fonts.ready');
  await page.waitForTimeout(500);
}

async function fillCampaign(page) {
  await page.locator('main form input').first().click();
  await page.getByRole('option', { name: /sunrise-bank/ }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Your summer statement is here');
  await page
    .getByRole('textbox', { name: 'Text', exact: true })
    .fill('Three months on one page: what came in, what went out, and what is left for the sea.');
  await page
    .getByText(/of 4,096 bytes$/)
    .first()
    .waitFor();
}
