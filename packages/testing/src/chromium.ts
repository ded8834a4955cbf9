import { chromium, type Browser, type Page } from 'playwright-core';

/** The browser at that path, without a window, that asks nobody but whom its pages ask. */
export function launchChromium(program: string): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Fills in the console's form for whoever is to sign in, in any of its languages. */
export async function signIn(
  page: Page,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<void> {
  await page.locator('input[autocomplete=username]').fill(name);
  await page.locator('input[autocomplete=current-password]').fill(password);
  await page.locator('button[type=submit]').click();
}
