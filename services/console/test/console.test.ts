import { describeWithForeign, makeDevice } from '@heliograph/testing';
import { signIn } from '@heliograph/testing/chromium';
import type { Response } from 'playwright-core';

import { expectUsable, findOverflow, findViolations } from './check-page.ts';
import { openConsoleRig, type ConsoleRig } from './console-rig.ts';

jest.setTimeout(300_000);

const MAX_FIRST_PAGE_BYTES = 350 * 1024;

const PAGES = [
  ['/', 'Overview'],
  ['/campaigns', 'Campaigns'],
  ['/campaigns/new', 'New campaign'],
  ['/deliveries?userId=alice', 'Where is my push?'],
  ['/apps', 'Apps'],
  ['/apps/1', 'App 1'],
  ['/apps/1?tab=developer-keys', 'App 1'],
  ['/apps/1?tab=callbacks', 'App 1'],
  ['/apps/1/callbacks/1', 'Calls of callback 1'],
  ['/failures', 'Failures'],
  ['/failures?tab=pauses', 'Failures'],
  ['/failures?tab=held', 'Failures'],
  ['/failures?tab=prunings', 'Failures'],
  ['/keys', 'API keys'],
  ['/users', 'Users'],
  ['/certificates', 'Certificates'],
  ['/audit', 'Audit'],
  ['/nothing-here', 'There is no such page'],
] as const;

describeWithForeign('chromium', 'the console in a browser', (program) => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await openConsoleRig(program);
  });
  afterAll(() => rig.close());

  describe('signing in', () => {
    test('says that a password is wrong, then lets in, and keeps the address', async () => {
      const user = await rig.makeUser('viewer');
      const { page, complaints } = await rig.open();
      await page.goto(`${rig.api.url}/console/deliveries?userId=bob`);

      await signIn(page, { ...user, password: 'not this one' });
      const refused = await page.getByRole('alert').textContent();
      await signIn(page, user);
      await page.getByRole('heading', { level: 1, name: 'Where is my push?' }).waitFor();

      expect(refused).toContain('do not go together');
      expect(new URL(page.url()).search).toBe('?userId=bob');
      expect(await page.getByLabel('Which').inputValue()).toBe('bob');
      expect(complaints).toEqual([]);
    });

    test('says in the words of the server why it is refused', async () => {
      const { page } = await rig.open();
      // What a server says to whom it would only let in by https, which this machine itself is not asked for.
      await page.route('**/console/session', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({
              status: 403,
              json: {
                status: 'ERROR',
                responseObject: { code: 'ERROR_GENERIC', message: 'Sign in by https.' },
              },
            })
          : route.continue(),
      );
      await page.goto(`${rig.api.url}/console/`);

      await signIn(page, await rig.makeUser('viewer'));

      await page.getByRole('alert').getByText('Sign in by https.').waitFor();
    });

    test('ends by signing out: the next one has to sign in', async () => {
      const { page } = await rig.openAs('admin', '/');
      await page.getByRole('button', { name: /^Signed in as/ }).click();

      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      await page.reload();

      await page.getByRole('button', { name: 'Sign in' }).waitFor();
    });

    test('takes another password from whoever knows the present one, from then on', async () => {
      const user = await rig.makeUser('viewer');
      const { page, complaints } = await rig.open({ viewport: 'phone' });
      await page.goto(`${rig.api.url}/console/`);
      await signIn(page, user);
      await page.getByRole('button', { name: /^Signed in as/ }).click();
      await page.getByRole('menuitem', { name: 'Change the password' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Present password').fill('not this one');
      await dialog.getByLabel('New password').fill('a few words to remember');
      await dialog.getByRole('button', { name: 'Change the password' }).click();
      await dialog.getByText('The present password is wrong.').waitFor();
      await expectUsable(page);
      await dialog.getByLabel('Present password').fill(user.password);
      await dialog.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText('Your password is changed.').waitFor();
      await page.reload();
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

      const { page: elsewhere } = await rig.open();
      await elsewhere.goto(`${rig.api.url}/console/`);
      await signIn(elsewhere, { ...user, password: 'a few words to remember' });
      await elsewhere.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
      expect(complaints).toEqual([]);
    });

    test('speaks German where the browser does', async () => {
      const { page } = await rig.open({ language: 'de' });

      await page.goto(`${rig.api.url}/console/`);

      await page.getByRole('button', { name: 'Anmelden' }).waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe('de');
    });
  });

  describe.each([
    ['desktop', 'light'],
    ['desktop', 'dark'],
    ['phone', 'light'],
    ['phone', 'dark'],
  ] as const)('on a %s in %s', (viewport, look) => {
    test('every page shows, breaks no rule of accessibility or of its policy, and fits', async () => {
      const { page, complaints } = await rig.openAs('admin', '/', { viewport, look });
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

      for (const [at, heading] of PAGES) {
        await page.goto(`${rig.api.url}/console${at}`);
        await page.getByRole('heading', { level: 1, name: heading }).waitFor();
        await page.getByRole('status', { name: 'Wait a moment' }).waitFor({ state: 'detached' });

        expect({ at, violations: await findViolations(page) }).toEqual({ at, violations: [] });
        expect({ at, overflow: await findOverflow(page) }).toEqual({ at, overflow: 0 });
      }
      expect(complaints).toEqual([]);
    });
  });

  test('a push is found by its user, with what became of it', async () => {
    await makeDevice(rig.stack.db, 1, { userId: 'alice', provider: 'apns' });
    await rig.send('alice');
    const { page } = await rig.openAs('viewer', '/deliveries');

    await page.getByLabel('Which').fill('alice');
    await page.getByRole('button', { name: 'Search' }).click();

    const push = page.getByRole('article').first();
    await push.getByText('Attempt 1').waitFor();
    expect(await push.textContent()).toContain('Sent');
  });

  test('a campaign is made, given an audience, counted, sent live, and watched to its end', async () => {
    const users = Array.from({ length: 40 }, (_, n) => `reader-${n}`);
    for (const userId of users) await makeDevice(rig.stack.db, 1, { userId, provider: 'apns' });
    const { page, complaints } = await rig.openAs('sender', '/campaigns/new');
    const sentBefore = rig.stack.countAccepted();

    await page.getByRole('textbox', { name: 'App' }).fill('1');
    await page.getByRole('textbox', { name: 'Title' }).fill('Good morning');
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill('The sun is up.');
    await page.getByText(/^iOS: \d+ of 4,096 bytes$/).waitFor();
    await page.locator('main').getByRole('button', { name: 'New campaign' }).click();
    await page.getByRole('tab', { name: 'Audience' }).click();
    await page.getByText('Pasted').click();
    await page
      .getByRole('textbox', { name: 'Users' })
      .fill([...users, 'somebody-unknown'].join('\n'));
    await page.getByRole('button', { name: 'Add users' }).click();
    await page.getByText('41 users', { exact: false }).first().waitFor();
    await page.getByRole('tab', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Count the audience' }).click();
    await page.getByRole('button', { name: 'Send live' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('40');
    await dialog.getByRole('button', { name: 'Send live' }).click();

    await page.getByRole('heading', { level: 1, name: /^Live send of campaign/ }).waitFor();
    await page.getByText('Completed').waitFor();
    await page.getByText('40 of 40 done').first().waitFor();
    expect(rig.stack.countAccepted() - sentBefore).toBe(40);
    expect(await findViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  describe('a role', () => {
    test('that only looks is offered no administration, and gets none from the api either', async () => {
      const { page } = await rig.openAs('viewer', '/apps');

      const menu = page.getByRole('navigation', { name: 'Pages' });
      await menu.getByRole('link', { name: 'Where is my push?' }).waitFor();
      const status = await page.evaluate(async () => {
        const answer = await fetch('/admin/app/list');
        return answer.status;
      });

      expect(await menu.getByRole('link', { name: 'Audit' }).count()).toBe(0);
      expect(await page.getByRole('button', { name: 'New app' }).count()).toBe(0);
      expect(status).toBe(403);
    });

    test('that may do everything makes an app', async () => {
      const { page } = await rig.openAs('admin', '/apps');

      await page.getByRole('button', { name: /app/i }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox').first().fill('made-here');
      await dialog.locator('button[type=submit]').click();

      await page.getByRole('heading', { level: 1, name: /made-here/ }).waitFor();
    });
  });

  test('the first page is small enough for a phone on the move, sign-in and overview together', async () => {
    const { page } = await rig.open({ viewport: 'phone' });
    const answers: Response[] = [];
    page.on('response', (answer) => answers.push(answer));
    await page.goto(`${rig.api.url}/console/`);
    await signIn(page, await rig.makeUser('viewer'));
    await page.getByRole('heading', { level: 2, name: 'Being sent now' }).waitFor();

    const code = answers.filter((answer) => /\.(?:js|css)$/.test(answer.url()));
    const sizes = await Promise.all(code.map((answer) => answer.request().sizes()));
    const encodings = new Set(code.map((answer) => answer.headers()['content-encoding']));
    const bytes = sizes.reduce((sum, one) => sum + one.responseBodySize, 0);

    expect(code.length).toBeGreaterThan(3);
    expect([...encodings].every((encoding) => encoding === 'gzip' || encoding === 'br')).toBe(true);
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_PAGE_BYTES);
  });
});
