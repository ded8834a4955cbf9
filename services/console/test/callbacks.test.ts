import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describeWithForeign, eventually } from '@heliograph/testing';
import type { Locator } from 'playwright-core';

import { openReceiver, RECEIVER_CA, type Receiver } from '../../dispatcher/test/receiver.ts';
import { expectUsable } from './check-page.ts';
import { openConsoleRig, type ConsoleRig } from './console-rig.ts';

jest.setTimeout(300_000);

describeWithForeign('chromium', 'callbacks in a browser', (program) => {
  let rig: ConsoleRig;
  let receiver: Receiver;
  let folder: string;
  const secrets: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'callbacks-'));
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, RECEIVER_CA);
    receiver = await openReceiver(secrets);
    const settings = { CALLBACK_CA_FILE: caFile, CALLBACK_ALLOW_PRIVATE_ADDRESSES: 'true' };
    rig = await openConsoleRig(program, { settings });
  });
  afterAll(async () => {
    await rig.close();
    await receiver.close();
    await rm(folder, { recursive: true });
  });

  test.each(['desktop', 'phone'] as const)(
    'on a %s a call that the receiver did not take is sent again, with the same events',
    async (viewport) => {
      const url = `${receiver.url}/${viewport}`;
      const toUs = () => receiver.received.filter((call) => call.path === `/${viewport}`);
      const { page, complaints } = await rig.openAs('admin', '/apps/1?tab=callbacks', { viewport });
      await page.getByRole('button', { name: 'New callback' }).click();
      await page.getByRole('dialog').getByLabel('Address').fill(url);
      await page.getByRole('dialog').getByRole('button', { name: 'New callback' }).click();
      const shown = page.getByRole('dialog').getByText('Secret of').first();
      await shown.waitFor();
      await page.getByRole('button', { name: 'I have kept it' }).click();
      await shown.waitFor({ state: 'detached' });
      let answered = 503;
      receiver.answer((_, response) => void response.writeHead(answered).end());

      const card = page.getByRole('region', { name: url, exact: true });
      await card.getByRole('button', { name: 'Send a test' }).click();
      await card.getByRole('link', { name: 'Recent calls' }).click();
      const rows = page.getByRole('table', { name: 'Calls' }).getByRole('row');
      const refused = rowOf(rows, 'Not taken');
      await refused.first().waitFor();
      expect(await refused.first().getByRole('cell', { name: '503' }).count()).toBe(1);
      await page.getByText(url, { exact: true }).waitFor();
      await expectUsable(page);

      answered = 200;
      // The address alone leads there, too.
      await page.reload();
      await refused.first().getByRole('button', { name: 'Send again' }).click();
      const again = rowOf(rows, 'sent again');
      await rowOf(again, 'Taken').waitFor();
      await eventually(() => expect(toUs().length).toBeGreaterThanOrEqual(2));

      const [first, second] = toUs().map(({ events }) => events.map(({ id }) => id));
      expect(second).toEqual(first);
      await expectUsable(page);
      expect(complaints).toEqual([]);
    },
  );
});

function rowOf(rows: Locator, text: string): Locator {
  return rows.filter({ hasText: text });
}
