import { describeWithForeign, makeDevice } from '@heliograph/testing';
import type { Locator, Page } from 'playwright-core';

import { expectUsable } from './check-page.ts';
import { openConsoleRig, type ConsoleRig } from './console-rig.ts';

jest.setTimeout(300_000);

describeWithForeign('chromium', 'setting an app up in a browser', (program) => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await openConsoleRig(program);
  });
  afterAll(() => rig.close());

  describe.each(['desktop', 'phone'] as const)('on a %s', (viewport) => {
    test('an app is made, its keys are dropped, checked and saved, and it sends', async () => {
      const { sandbox, db } = rig.stack;
      const appId = `shop-${viewport}`;
      const { apns, fcm } = sandbox.credentials;
      const { page, complaints } = await rig.openAs('admin', '/apps', { viewport });
      await page.getByRole('button', { name: 'New app' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'App id' }).fill(appId);
      await expectUsable(page);
      await dialog.getByRole('button', { name: 'New app' }).click();
      await page.getByRole('heading', { level: 1, name: appId }).waitFor();

      await page
        .getByRole('button', { name: 'Set up: iOS (APNs), Straight to the provider' })
        .click();
      await drop(page, dialog, 'notes.p8', 'nothing of the kind');
      await dialog.getByText('This is no .p8 key').waitFor();
      expect(await dialog.getByRole('button', { name: 'Check and save' }).isDisabled()).toBe(true);
      await expectUsable(page);
      await drop(page, dialog, `AuthKey_${apns.keyId}.p8`, decode(apns.privateKeyBase64));
      await dialog.getByText('This is no .p8 key').waitFor({ state: 'detached' });
      expect(await dialog.getByRole('textbox', { name: 'Key id' }).inputValue()).toBe(apns.keyId);
      await dialog.getByRole('textbox', { name: 'Team id' }).fill('WRONGTEAM1');
      await dialog.getByRole('textbox', { name: 'Bundle id' }).fill(apns.bundle);
      await dialog.getByRole('button', { name: 'Check and save' }).click();
      await dialog.getByRole('alert').waitFor();
      await expectUsable(page);
      await dialog.getByRole('textbox', { name: 'Team id' }).fill(apns.teamId);
      await dialog.getByRole('button', { name: 'Check and save' }).click();
      await page.getByText('The provider takes it').first().waitFor();
      await dialog.waitFor({ state: 'detached' });

      await page.getByRole('button', { name: /^Set up: Android \(FCM\), Straight/ }).click();
      await dialog.locator('input[type=file]').setInputFiles({
        name: 'google-services.json',
        mimeType: 'application/json',
        buffer: Buffer.from('{"project_info":{}}'),
      });
      await dialog.getByText('This is no service account').waitFor();
      await dialog.locator('input[type=file]').setInputFiles({
        name: 'service-account.json',
        mimeType: 'application/json',
        buffer: Buffer.from(fcm.privateKeyBase64, 'base64'),
      });
      await dialog.getByRole('textbox', { name: 'Project id' }).waitFor();
      await dialog.getByRole('button', { name: 'Check and save' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('Route: direct').nth(1).waitFor();
      await expectUsable(page);

      const { id } = await db
        .selectFrom('apps')
        .select('id')
        .where('appId', '=', appId)
        .executeTakeFirstOrThrow();
      const { userId, pushToken: token } = await makeDevice(db, id);
      await rig.send(userId, appId);
      expect(await sandbox.waitFor(1, { token, accepted: true })).toHaveLength(1);
      expect(complaints).toEqual([]);
    });

    test('a certificate is dropped in place of a key, and says when it ends; it is taken away', async () => {
      const appId = `certificate-${viewport}`;
      const certificate = rig.stack.sandbox.addApnsCertificate({ days: 20 });
      const { page, complaints } = await rig.openAs('admin', '/apps', { viewport });
      await page.getByRole('button', { name: 'New app' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'App id' }).fill(appId);
      await dialog.getByRole('button', { name: 'New app' }).click();

      await page
        .getByRole('button', { name: 'Set up: iOS (APNs), Straight to the provider' })
        .click();
      await dialog.getByText('Certificate (.p12, PEM)').click();
      await drop(page, dialog, 'push.pem', decode(certificate.certificateBase64));
      await dialog.getByRole('button', { name: 'Check and save' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(/^(19|20) days left$/).waitFor();
      await page.goto(`${rig.api.url}/console/certificates`);
      await page.getByRole('cell', { name: appId }).first().waitFor();
      await page.goto(`${rig.api.url}/console/apps/${appId}`);
      await page.getByRole('button', { name: 'Remove' }).click();
      await dialog.getByRole('textbox').fill('another-app');
      expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true);
      await dialog.getByRole('textbox').fill(appId);
      await expectUsable(page);
      await dialog.getByRole('button', { name: 'Remove' }).click();

      await page.getByText('Not set up').nth(1).waitFor();
      expect(complaints).toEqual([]);
    });
  });
});

/** As somebody who drags a file out of a folder onto the dialog. */
async function drop(page: Page, dialog: Locator, name: string, content: string): Promise<void> {
  const file = JSON.stringify({ name, content });
  const dataTransfer = await page.evaluateHandle(`(() => {
    const { name, content } = ${file};
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], name));
    return transfer;
  })()`);
  await dialog.locator('input[type=file]').locator('..').dispatchEvent('drop', { dataTransfer });
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
