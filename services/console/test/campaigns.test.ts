import { readFile } from 'node:fs/promises';

import {
  describeWithForeign,
  eventually,
  findAppId,
  makeApp,
  makeDevice,
} from '@heliograph/testing';
import type { Locator, Page } from 'playwright-core';

import { makeDevices } from '../../dispatcher/test/campaign-rig.ts';
import { expectUsable } from './check-page.ts';
import { openConsoleRig, type ConsoleRig } from './console-rig.ts';

jest.setTimeout(300_000);

const USERS = 20_000;
const WITHOUT_DEVICE = 50;
const TOO_LARGE = 3;
/** A run of so many pushes goes on for as long as we look at it. */
const SLOW_PER_SECOND = '1';
const SLOW_DEVICES = 300;
const LONG_MS = 120_000;

describeWithForeign('chromium', 'campaigns in a browser', (program) => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await openConsoleRig(program);
  });
  afterAll(() => rig.close());

  describe.each(['desktop', 'phone'] as const)('on a %s', (viewport) => {
    test('20,000 users come from a file, are counted, get a test and a live send, and each failure is found', async () => {
      const { db } = rig.stack;
      const tooLarge = listUsers(`large-${viewport}`, TOO_LARGE);
      for (const userId of tooLarge)
        await makeDevice(db, 1, { userId, pushToken: `fa114130${toDigits(userId)}` });
      const others = USERS - WITHOUT_DEVICE - TOO_LARGE;
      const fine = await makeDevices(db, 1, others, { name: viewport, provider: 'apns' });
      const users = [...listUsers(`unknown-${viewport}`, WITHOUT_DEVICE), ...tooLarge, ...fine];
      const acceptedBefore = rig.stack.countAccepted();
      const { page, complaints } = await rig.openAs('sender', '/campaigns/new', { viewport });
      const address = await makeCampaign(page, 'For everybody');

      await page.getByRole('tab', { name: 'Audience' }).click();
      const csv = ['name,user', ...users.map((user) => `Somebody,${user}`), `x,${users[0]}`, 'y,'];
      const held = await holdImport(page);
      await page.locator('input[type=file]').setInputFiles({
        name: 'users.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(csv.join('\n')),
      });
      expect(await page.getByLabel('Column with the users').first().inputValue()).toBe('2: user');
      await page.getByRole('button', { name: 'Add users' }).click();
      await page.getByRole('progressbar', { name: 'Adding users' }).waitFor();
      await expectUsable(page);
      await expectToAskBeforeItCloses(page);
      await expectToAskBeforeItIsLeft(page, viewport);
      held.release();
      const added = page.getByRole('status').filter({ hasText: 'are in the campaign now' });
      await added.waitFor();
      expect(await added.textContent()).toContain('20,000 users');
      expect(await added.textContent()).toContain('1 came twice');
      expect(await added.textContent()).toContain('1 line had no user');
      await page.getByText('20,000 users are in the campaign.').waitFor();
      const listed = page.getByRole('table', { name: 'Users of the campaign' });
      await listed.getByRole('link', { name: `unknown-${viewport}-0`, exact: true }).waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await listed.getByRole('link', { name: `unknown-${viewport}-25`, exact: true }).waitFor();

      await page.getByRole('tab', { name: 'Send' }).click();
      await page.getByRole('button', { name: 'Count the audience' }).click();
      await expectFact(page, 'Devices', '19,950');
      await expectFact(page, 'Users without a device, or unknown', '50');
      await expectUsable(page);

      const tester = users.at(-1) ?? '';
      await page.getByRole('textbox', { name: 'User', exact: true }).fill(tester);
      await page.getByRole('button', { name: 'Send the test' }).click();
      await page.getByRole('link', { name: 'What came of it' }).click();
      await page.getByRole('article').getByText('Sent', { exact: true }).first().waitFor();
      expect(rig.stack.countAccepted() - acceptedBefore).toBe(1);

      await page.goto(`${address}?tab=send`);
      await sendLive(page, '19950', expectUsable);
      await page.getByText('Completed').waitFor({ timeout: LONG_MS });
      await page.getByText('19,950 of 19,950 done').first().waitFor();
      expect(rig.stack.countAccepted() - acceptedBefore).toBe(1 + others);
      await expectTimeline(page, [others.toLocaleString('en'), '3', '0', '0']);
      await expectUsable(page);

      await page.getByRole('link', { name: 'PayloadTooLarge' }).click();
      await page.getByRole('heading', { level: 1, name: /^Devices of a send/ }).waitFor();
      await page.getByRole('cell', { name: `large-${viewport}-0`, exact: true }).waitFor();
      expect(await page.getByRole('row').count()).toBe(1 + TOO_LARGE);
      await expectUsable(page);
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download as CSV' }).click();
      const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n');
      expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(tooLarge);
      expect(complaints).toEqual([]);
    });

    test('a live send is paused, shows it, goes on, gets faster, and ends; another one is cancelled', async () => {
      const users = await makeDevices(rig.stack.db, 1, SLOW_DEVICES, {
        name: `slow-${viewport}`,
        provider: 'apns',
      });
      const acceptedBefore = rig.stack.countAccepted();
      const { page, complaints } = await rig.openAs('sender', '/campaigns/new', { viewport });
      await makeCampaign(page, 'Slowly');
      await paste(page, users);
      await page.getByRole('tab', { name: 'Send' }).click();
      await page.getByRole('button', { name: 'Count the audience' }).click();
      await expectFact(page, 'Devices', '300');
      await page.getByLabel('Pushes per second').fill(SLOW_PER_SECOND);
      await sendLive(page, '300');

      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused', { exact: false }).first().waitFor();
      await expectUsable(page);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('button', { name: 'Pause' }).waitFor();
      await page.getByRole('button', { name: 'Change the speed' }).first().click();
      await page.getByLabel('Pushes per second').fill('');
      await page.getByRole('button', { name: 'Change the speed' }).last().click();
      await page.getByText('Completed').waitFor({ timeout: LONG_MS });
      expect(rig.stack.countAccepted() - acceptedBefore).toBe(SLOW_DEVICES);

      await page.getByRole('link', { name: 'To the campaign' }).click();
      await page.getByRole('tab', { name: 'Send' }).click();
      await page.getByLabel('Pushes per second').fill(SLOW_PER_SECOND);
      await page.getByText('Send again to everybody').click();
      await sendLive(page, '300');
      await page.getByRole('button', { name: 'Cancel the send' }).click();
      const question = page.getByRole('dialog');
      await question.getByText('will not get the push').waitFor();
      await expectUsable(page);
      await question.getByRole('button', { name: 'Cancel the send' }).click();
      await page.getByText('Cancelled', { exact: true }).first().waitFor();
      await page.getByRole('button', { name: 'Pause' }).waitFor({ state: 'detached' });
      expect(complaints).toEqual([]);
    });
  });

  test('campaigns are listed by app: picked by who sees the apps, typed by others; an app that is not there is said', async () => {
    const { db } = rig.stack;
    const other = await findAppId(db, await makeApp(db));
    const { page } = await rig.openAs('editor', '/campaigns/new');
    await makeCampaign(page, 'Only of the first app');
    await page.goto(`${rig.api.url}/console/campaigns`);
    const title = page.getByRole('link', { name: 'Only of the first app' });
    await title.waitFor();

    await page.getByRole('textbox', { name: 'App' }).fill(other);
    await page.getByRole('button', { name: 'Narrow down' }).click();
    await title.waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'App' }).fill('no such app');
    await page.getByRole('button', { name: 'Narrow down' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('textbox', { name: 'App' }).fill('1');
    await page.getByRole('button', { name: 'Narrow down' }).click();
    await title.waitFor();
    await title.click();
    await page.getByRole('tab', { name: 'Audience' }).click();
    await page.getByText('Nobody is in the campaign yet.').waitFor();

    const admin = await rig.openAs('admin', '/campaigns');
    await admin.page.getByRole('combobox', { name: 'App' }).selectOption(other);
    await admin.page.getByText('There is no campaign yet.').waitFor();
    expect(new URL(admin.page.url()).searchParams.get('appId')).toBe(other);
  });

  test('a campaign is made and sent by the keyboard alone, which stays where a dialog was opened', async () => {
    const users = await makeDevices(rig.stack.db, 1, 2, { name: 'keys', provider: 'apns' });
    const { page } = await rig.openAs('sender', '/campaigns/new');
    await page.getByRole('heading', { level: 1, name: 'New campaign' }).waitFor();

    await tabTo(page, page.getByRole('textbox', { name: 'App' }));
    await page.keyboard.type('1');
    await tabTo(page, page.getByRole('textbox', { name: 'Title' }));
    await page.keyboard.type('By hand');
    await tabTo(page, page.locator('main').getByRole('button', { name: 'New campaign' }));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'By hand' }).waitFor();
    await tabTo(page, page.getByRole('tab', { selected: true }));
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await tabTo(page, page.getByRole('radio', { name: 'From a file' }));
    await page.keyboard.press('ArrowRight');
    await tabTo(page, page.getByRole('textbox', { name: 'Users' }));
    await page.keyboard.type(users.join(' ; '));
    await tabTo(page, page.getByRole('button', { name: 'Add users' }));
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '2 users' }).waitFor();
    await tabTo(page, page.getByRole('tab', { name: 'Audience' }));
    await page.keyboard.press('ArrowRight');
    await tabTo(page, page.getByRole('button', { name: 'Count the audience' }));
    await page.keyboard.press('Enter');
    await expectFact(page, 'Devices', '2');
    const send = page.getByRole('button', { name: 'Send live' });
    await tabTo(page, send);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await untilFocused(send);
    await page.keyboard.press('Enter');
    await untilFocused(page.getByRole('dialog').getByRole('textbox'));
    await page.keyboard.type('2');
    await page.keyboard.press('Enter');

    await page.getByText('2 of 2 done').first().waitFor();
  });
});

/** Answers the address of the campaign. */
async function makeCampaign(page: Page, title: string): Promise<string> {
  await page.getByRole('textbox', { name: 'App' }).fill('1');
  await page.getByRole('textbox', { name: 'Title' }).fill(title);
  await page.locator('main').getByRole('button', { name: 'New campaign' }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  return page.url().replace(/\?.*/, '');
}

async function paste(page: Page, users: readonly string[]): Promise<void> {
  await page.getByRole('tab', { name: 'Audience' }).click();
  await page.getByText('Pasted').click();
  await page.getByRole('textbox', { name: 'Users' }).fill(users.join('\n'));
  await page.getByRole('button', { name: 'Add users' }).click();
  await page.getByRole('status').filter({ hasText: 'in the campaign now' }).waitFor();
}

/** Holds what adds users, until it is let go: a fast machine shows no progress else. */
async function holdImport(page: Page): Promise<{ readonly release: () => void }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/push/campaign/*/user/add', async (route) => {
    await released;
    await route.continue();
  });
  return { release };
}

/** The browser asks whether the page is to be left; it stays. */
async function expectToAskBeforeItCloses(page: Page): Promise<void> {
  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const question = await asked;
  expect(question.type()).toBe('beforeunload');
  await question.dismiss();
}

/** By a link of the console; the import goes on. */
async function expectToAskBeforeItIsLeft(page: Page, viewport: string): Promise<void> {
  const before = page.url();
  if (viewport === 'phone') await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('link', { name: 'Campaigns', exact: true }).click();
  const question = page.getByRole('dialog', { name: 'Leave this page?' });
  await question.getByText('only while this page is open').waitFor();
  await expectUsable(page);
  await question.getByRole('button', { name: 'Stay here' }).last().click();
  await question.waitFor({ state: 'detached' });
  expect(page.url()).toBe(before);
}

async function sendLive(
  page: Page,
  devices: string,
  lookAt: (page: Page) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await page.getByRole('button', { name: 'Send live' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill(devices);
  await lookAt(page);
  await dialog.getByRole('button', { name: 'Send live' }).click();
  await page.getByRole('heading', { level: 1, name: /^Live send of campaign/ }).waitFor();
}

/** Waits until a fact has that value. */
/** What is drawn, and what the numbers of it come to. */
async function expectTimeline(page: Page, last: readonly string[]): Promise<void> {
  const picture = page.getByRole('img', { name: 'Over time. Sent:' });
  await picture.locator('path.recharts-area-area').first().waitFor();
  expect(await picture.locator('path.recharts-area-area').count()).toBe(last.length);
  await page.getByRole('button', { name: 'Show the numbers' }).click();
  const numbers = page.getByRole('table', { name: 'Over time' }).getByRole('row').last();
  await numbers.waitFor();
  expect((await numbers.getByRole('cell').allTextContents()).slice(1)).toEqual(last);
}

async function expectFact(page: Page, name: string, value: string): Promise<void> {
  await page
    .locator('main div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .getByText(value, { exact: true })
    .first()
    .waitFor();
}

/** Goes on by the tabulator until it is there. */
async function tabTo(page: Page, aim: Locator): Promise<void> {
  await aim.waitFor({ state: 'attached' });
  for (let pressed = 0; pressed < 80; pressed += 1) {
    if (await isFocused(aim)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not get to ${String(aim)}.`);
}

/** A dialog takes and gives back the focus in a moment of its own. */
function untilFocused(one: Locator): Promise<void> {
  return eventually(async () => expect(await isFocused(one)).toBe(true));
}

function isFocused(one: Locator): Promise<boolean> {
  return one.evaluate((element) => element === element.ownerDocument.activeElement);
}

function listUsers(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${name}-${n}`);
}

/** Push tokens are hexadecimal. */
function toDigits(text: string): string {
  return Buffer.from(text).toString('hex');
}
