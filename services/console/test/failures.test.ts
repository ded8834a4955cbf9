import { describeWithForeign, eventually, makeDevice } from '@heliograph/testing';
import type { Locator } from 'playwright-core';

import { expectUsable } from './check-page.ts';
import { openConsoleRig, type ConsoleRig, type OpenedPage } from './console-rig.ts';

jest.setTimeout(300_000);

describeWithForeign('chromium', 'failures in a browser', (program) => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await openConsoleRig(program);
  });
  afterAll(() => rig.close());

  describe.each(['desktop', 'phone'] as const)('on a %s', (viewport) => {
    test('a push is found by its user, its device, its message and its provider’s id', async () => {
      const user = `sought-${viewport}`;
      // FCM's id is its own; that of APNs is the push's.
      await makeDevice(rig.stack.db, 1, { userId: user, provider: 'fcm' });
      await rig.send(user);
      const delivery = await settled(user);
      expect(delivery.providerMessageId).toContain('/messages/');
      const { page, complaints } = await rig.openAs('viewer', '/deliveries', { viewport });

      for (const [by, value] of [
        ['User', user],
        ['Device', String(delivery.deviceId)],
        ['Push id (apns-id)', delivery.id],
        ['Message', delivery.messageId],
        ['Provider’s message id', String(delivery.providerMessageId)],
      ] as const) {
        await page.getByLabel('Look for').first().click();
        await page.getByRole('option', { name: by, exact: true }).click();
        await page.getByLabel('Which').fill(value);
        await page.getByRole('button', { name: 'Search' }).click();
        await page.waitForURL((url) => [...url.searchParams.values()].includes(value));
        // The address alone leads there, too.
        await page.reload();
        await page.getByRole('article').getByText(delivery.id).first().waitFor();
        expect(await page.getByRole('article').count()).toBe(1);
      }
      await expectUsable(page);
      expect(complaints).toEqual([]);
    });

    test('a dead letter is found by its cause, and sent again', async () => {
      const user = `large-${viewport}`;
      const { pushToken: token } = await makeDevice(rig.stack.db, 1, { userId: user });
      const { sandbox } = rig.stack;
      sandbox.script('apns', token, [{ kind: 'refuse', reason: 'PayloadTooLarge' }]);
      await rig.send(user);
      expect((await settled(user)).state).toBe('failed');
      const { page, complaints } = await rig.openAs('sender', '/failures', { viewport });

      await page.getByRole('link', { name: /^Deliveries: PayloadTooLarge/ }).click();
      await page.getByText(user).first().waitFor();
      await expectUsable(page);
      await page.goBack();
      await page.getByRole('button', { name: /^Send again: PayloadTooLarge/ }).click();
      const dialog = page.getByRole('dialog').first();
      await dialog.getByRole('button', { name: 'Count first' }).click();
      await dialog.getByText('1 push would be sent again.').waitFor();
      await expectUsable(page);
      await dialog.getByRole('button', { name: 'Send again', exact: true }).click();
      const question = page.getByRole('dialog').last();
      await question.getByRole('textbox', { name: 'Type 1 to go on' }).fill('1');
      await question.getByRole('button', { name: 'Send again', exact: true }).click();
      await dialog.getByText('1 push is being sent again.').waitFor();

      expect(await sandbox.waitFor(1, { token, accepted: true })).toHaveLength(1);
      await dialog.getByRole('button', { name: 'Close' }).click();
      await page.goto(`${rig.api.url}/console/deliveries?userId=${user}`);
      await page.getByRole('article').getByText('Attempt 2').waitFor();
      expect(complaints).toEqual([]);
    });

    test('a device that was taken out comes back, and gets pushes again', async () => {
      const user = `gone-${viewport}`;
      // Gone at its first push only.
      const token = `fa014100${Buffer.from(user).toString('hex')}`;
      await makeDevice(rig.stack.db, 1, { userId: user, pushToken: token });
      await rig.send(user);
      expect((await settled(user)).state).toBe('failed');
      await ripenFaults();
      const { page, complaints } = await openAtRow(
        '/failures?tab=prunings',
        viewport,
        /Unregistered/,
      );

      await expectUsable(page);
      await row(page.getByRole('row'), /Unregistered/)
        .getByRole('button', { name: 'Undo' })
        .click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('1 device gets pushes again').waitFor();
      await dialog.getByRole('button', { name: 'Undo' }).click();
      await page.getByText('1 device is back.').waitFor();
      await row(page.getByRole('row'), /Unregistered/).waitFor({ state: 'detached' });
      await rig.send(user);

      expect(await rig.stack.sandbox.waitFor(1, { token, accepted: true })).toHaveLength(1);
      expect(complaints).toEqual([]);
    });

    test('what is paused says why, and goes on when somebody resumes it', async () => {
      const user = `paused-${viewport}`;
      const { sandbox } = rig.stack;
      const { pushToken: token } = await makeDevice(rig.stack.db, 1, { userId: user });
      sandbox.script('apns', token, [
        { kind: 'refuse', reason: 'TopicDisallowed', times: 'always' },
      ]);
      await rig.send(user);
      const { page, complaints } = await openAtRow(
        '/failures?tab=pauses',
        viewport,
        /TopicDisallowed/,
      );
      await expectUsable(page);
      await page.goto(`${rig.api.url}/console/`);
      const paused = page.getByRole('region', { name: 'What is paused' });
      await paused.getByText('TopicDisallowed').waitFor();
      await expectUsable(page);
      sandbox.clearScripts();
      await paused.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();

      expect(await sandbox.waitFor(1, { token, accepted: true, timeoutMs: 60_000 })).toHaveLength(
        1,
      );
      await paused.getByText('Nothing is paused.').waitFor();
      expect(complaints).toEqual([]);
    });
  });

  /** Looks at a list until there is such a row: the guard decides a moment after the answer is recorded. */
  async function openAtRow(
    at: string,
    viewport: 'desktop' | 'phone',
    text: RegExp,
  ): Promise<OpenedPage> {
    const opened = await rig.openAs('admin', at, { viewport });
    const { page } = opened;
    const list = page
      .getByRole('table')
      .or(page.getByText(/^(Nothing is paused|No device was taken out)/));
    for (;;) {
      await list.waitFor();
      if ((await row(page.getByRole('row'), text).count()) > 0) return opened;
      await page.reload();
    }
  }

  /** Faults are believed when they are a minute old. */
  async function ripenFaults(): Promise<void> {
    await eventually(async () => {
      const { numUpdatedRows } = await rig.stack.db
        .updateTable('tokenFaults')
        .set({ notedAt: new Date(Date.now() - 61_000) })
        .where('state', '=', 'noted')
        .executeTakeFirstOrThrow();
      expect(numUpdatedRows).toBe(1n);
    });
  }

  /** The only delivery of a user, once something has come of it. */
  async function settled(userId: string) {
    const messages = await rig.stack.db
      .selectFrom('messages')
      .select('id')
      .where('userId', '=', userId)
      .execute();
    const ids = messages.map(({ id }) => id);
    await rig.stack.settled(ids);
    return rig.stack.db
      .selectFrom('deliveries')
      .select(['id', 'messageId', 'deviceId', 'state', 'providerMessageId'])
      .where('messageId', 'in', ids)
      .executeTakeFirstOrThrow();
  }
});

function row(rows: Locator, text: RegExp): Locator {
  return rows.filter({ hasText: text });
}
