import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';

import {
  describeWithForeign,
  startOpenIdProvider,
  type OpenIdProviderServer,
} from '@heliograph/testing';
import { signIn } from '@heliograph/testing/chromium';
import type { Page } from 'playwright-core';

import { de } from '../src/i18n/de.ts';
import { en } from '../src/i18n/en.ts';
import { expectUsable } from './check-page.ts';
import { openConsoleRig, VIEWPORTS, type ConsoleRig } from './console-rig.ts';

jest.setTimeout(300_000);

/* The provider is at localhost and the console at 127.0.0.1: to the browser one is another site than the other. */

const NAME = 'Example ID';
const BUTTON = en['signIn.by'].replace('{name}', NAME);
const VIEWS = ['desktop', 'phone'] as const satisfies readonly (keyof typeof VIEWPORTS)[];

describeWithForeign('chromium', 'signing in by OpenID Connect', (program) => {
  let provider: OpenIdProviderServer;
  let rig: ConsoleRig;
  beforeAll(async () => {
    const port = await findFreePort();
    const console = `http://127.0.0.1:${port}/console`;
    provider = await startOpenIdProvider([
      {
        client_id: 'heliograph',
        client_secret: 'secret',
        redirect_uris: [`${console}/session/oidc/callback`],
      },
    ]);
    rig = await openConsoleRig(program, {
      hasDispatcher: false,
      apiEnv: {
        PORT: String(port),
        CONSOLE_PUBLIC_URL: console,
        OIDC_ISSUER: provider.issuer,
        OIDC_CLIENT_ID: 'heliograph',
        OIDC_CLIENT_SECRET: 'secret',
        OIDC_NAME: NAME,
        OIDC_ROLES: 'push%2Dviewers=viewer,push%2Dadmins=admin',
      },
    });
  });
  afterAll(async () => {
    await rig.close();
    await provider.close();
  });

  async function makePerson(...roles: readonly string[]): Promise<string> {
    const subject = `p-${randomUUID()}`;
    await provider.setClaims(subject, { preferred_username: subject, roles });
    return subject;
  }

  /** At the provider. */
  async function sayWho(page: Page, subject: string): Promise<void> {
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
    expect(new URL(page.url()).origin).toBe(provider.issuer);
    await page.getByLabel('Subject').fill(subject);
    await page.getByRole('button', { name: 'Go on' }).click();
  }

  test.each(VIEWS)(
    'leads back to the page that was asked for, on a %s; it ends here, and begins again',
    async (viewport) => {
      const person = await makePerson('push-viewers');
      const { page, complaints } = await rig.open({ viewport });
      await page.goto(`${rig.api.url}/console/deliveries?userId=bob`);
      await page.getByRole('link', { name: BUTTON }).waitFor();
      await expectUsable(page);

      await page.getByRole('link', { name: BUTTON }).click();
      await sayWho(page, person);
      await page.getByRole('heading', { level: 1, name: en['deliveries.title'] }).waitFor();

      expect(page.url()).toBe(`${rig.api.url}/console/deliveries?userId=bob`);
      expect(await page.getByLabel('Which').inputValue()).toBe('bob');
      await expectUsable(page);
      await page.reload();
      await page.getByRole('button', { name: en['session.as'].replace('{name}', person) }).click();
      await page.getByRole('menuitem', { name: en['signOut.submit'] }).waitFor();
      expect(await page.getByRole('menuitem', { name: en['password.change'] }).count()).toBe(0);
      await page.getByRole('menuitem', { name: en['signOut.submit'] }).click();

      // The provider still knows who it is, and asks nothing.
      await page.getByRole('link', { name: BUTTON }).click();
      await page.getByRole('heading', { level: 1, name: en['deliveries.title'] }).waitFor();
      expect(complaints).toEqual([]);
    },
  );

  test.each(VIEWS)(
    'says on a %s that somebody would rather not, and lets in by a password',
    async (viewport) => {
      const { page, complaints } = await rig.open({ viewport });
      await page.goto(`${rig.api.url}/console/deliveries?userId=bob`);

      await page.getByRole('link', { name: BUTTON }).click();
      await page.getByRole('link', { name: 'Rather not' }).click();
      await page.getByRole('alert').getByText(en['signIn.byOther.denied']).waitFor();

      expect(page.url()).toBe(`${rig.api.url}/console/deliveries?userId=bob`);
      await expectUsable(page);
      await signIn(page, await rig.makeUser('viewer'));
      await page.getByRole('heading', { level: 1, name: en['deliveries.title'] }).waitFor();
      expect(complaints).toEqual([]);
    },
  );

  test('says that somebody has no role, in German too', async () => {
    const { page } = await rig.open({ language: 'de' });
    await page.goto(`${rig.api.url}/console/`);

    await page.getByRole('link', { name: de['signIn.by'].replace('{name}', NAME) }).click();
    await sayWho(page, await makePerson('viewer'));

    await page.getByRole('alert').getByText(de['signIn.byOther.no_role']).waitFor();
    await page.getByRole('button', { name: de['signIn.submit'] }).waitFor();
  });

  test('shows whoever signs in so among the users, without a password and a role to change', async () => {
    const person = await makePerson('push-admins', 'push-viewers');
    const other = await rig.makeUser('viewer');
    const { page } = await rig.open();
    await page.goto(`${rig.api.url}/console/users`);
    await page.getByRole('link', { name: BUTTON }).click();
    await sayWho(page, person);
    await page.getByRole('heading', { level: 1, name: en['nav.users'] }).waitFor();
    const { page: elsewhere } = await rig.openAs('admin', '/users');

    const [own, local] = [person, other.name].map((name) =>
      elsewhere.getByRole('row').filter({ hasText: name }),
    );
    await own?.getByRole('button', { name: en['users.remove'] }).waitFor();

    const offered = async (row: typeof own) =>
      Promise.all(
        [en['users.setRole'], en['users.newPassword'], en['developerKeys.disable']].map(
          async (name) => row?.getByRole('button', { name }).count(),
        ),
      );
    expect(await own?.textContent()).toContain('OpenID Connect');
    expect([await offered(own), await offered(local)]).toEqual([
      [0, 0, 1],
      [1, 1, 1],
    ]);
    await expectUsable(elsewhere);
  });

  test('says of a provider that is away that it is, once: not after a reload', async () => {
    const { page } = await rig.open();
    await page.goto(`${rig.api.url}/console/#sign-in=unavailable`);

    await page.getByRole('alert').getByText(en['signIn.byOther.unavailable']).waitFor();
    await page.reload();
    await page.getByRole('link', { name: BUTTON }).waitFor();

    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('says nothing that an address says', async () => {
    const { page } = await rig.open();

    await page.goto(`${rig.api.url}/console/#sign-in=call_this_number`);

    await page.getByRole('alert').getByText(en['signIn.byOther.failed']).waitFor();
  });
});

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
