// `npm run demo`: the reference's examples, a campaign and the other wires, sent through everything to the fake providers. Exits
// 0 only when every push arrived and the ledgers balance.

import { isDeepStrictEqual } from 'node:util';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { call } from './admin.mjs';
import { build } from './build.mjs';
import { check, settled } from './demo-checks.mjs';
import { CAMPAIGN_DEVICES, sendCampaign } from './demo-campaign.mjs';
import { batchRequest, devices, sendRequest } from './demo-requests.mjs';
import { tellWires } from './demo-wires.mjs';
import { throwawayFolder } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { main, unlessStopped } from './signals.mjs';
import { startStack } from './stack.mjs';

/** How a synchronous answer counts one push to a platform, and none. */
const SENT = { sent: 1, failed: 0, pending: 0, total: 1 };
const NONE = { sent: 0, failed: 0, pending: 0, total: 0 };

await main(async (signal) => {
  await installIfNeeded(signal);
  await build(signal);
  const folder = await throwawayFolder('demo');
  try {
    const stack = await startStack({ folder, providers: 'sandbox', port: 0, signal });
    try {
      console.log(`Heliograph runs at ${stack.api.baseUrl}, with fake providers.`);
      const ok = await unlessStopped(signal, Promise.race([tell(stack), stack.failure()]));
      if (!ok) printLogs(folder);
      return ok ? 0 : 1;
    } finally {
      await stack.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The story. Resolves with whether everything came out as it should. */
async function tell(stack) {
  const messagesOk = await tellMessages(stack);
  const campaignOk = await tellCampaign(stack);
  const wiresOk = await tellWires(stack);
  return messagesOk && campaignOk && wiresOk;
}

async function tellMessages({ api, controlUrl, appId }) {
  for (const device of devices(appId)) await show(api, 'POST', '/push/device/create', device);
  const single = await show(api, 'POST', '/push/message/send', sendRequest(appId));
  const batch = await show(api, 'POST', '/push/message/batch/send', batchRequest(appId));

  const messageIds = [...single.messageIds, ...batch.messageIds];
  const ledgers = await Promise.all(messageIds.map((id) => settled(api, id)));
  const received = await (await fetch(`${controlUrl}/received`)).json();
  printReceived(received);

  const accepted = { apns: received.apns.accepted, fcm: received.fcm.accepted };
  const arrived = { apns: received.apns.count, fcm: received.fcm.count };
  return [
    check(
      'the first answer counted one push',
      isDeepStrictEqual(platformCounts(single), { ios: SENT, android: NONE }),
    ),
    check(
      'the second answer counted two',
      isDeepStrictEqual(platformCounts(batch), { ios: SENT, android: SENT }),
    ),
    check('three messages got three ids', new Set(messageIds).size === 3),
    check('APNs accepted two pushes, FCM one', isDeepStrictEqual(accepted, { apns: 2, fcm: 1 })),
    check('no push arrived twice', isDeepStrictEqual(arrived, { apns: 2, fcm: 1 })),
    ...ledgers.map(({ counts }, at) => checkLedger(messageIds[at], counts)),
  ].every(Boolean);
}

async function tellCampaign({ api, controlUrl, appId }) {
  const before = await (await fetch(`${controlUrl}/received?limit=0`)).json();
  const { dryRun, run, again } = await sendCampaign(api, appId);
  const after = await (await fetch(`${controlUrl}/received?limit=0`)).json();

  const { targeted, sent, failed, expired, skipped, pending } = run.counts.total;
  const arrived = ['apns', 'fcm'].map((name) => after[name].accepted - before[name].accepted);
  return [
    check(`the run is ${run.state}`, run.state === 'completed'),
    check(
      `${targeted} = ${sent} sent + ${failed} failed + ${expired} expired + ${skipped} skipped + ${pending} pending`,
      targeted === sent + failed + expired + skipped + pending && sent === CAMPAIGN_DEVICES,
    ),
    check('the dry run had counted as many', dryRun.counts.total.targeted === targeted),
    check(
      `APNs accepted ${arrived[0]} pushes, FCM ${arrived[1]}`,
      isDeepStrictEqual(arrived, [run.counts.ios.sent, run.counts.android.sent]),
    ),
    check('sending it live again sent nothing', again.runId === run.runId),
  ].every(Boolean);
}

async function show(api, method, route, request) {
  console.log(`\n${method} ${route}\n${JSON.stringify({ requestObject: request }, undefined, 2)}`);
  const answer = await call(api, method, route, request);
  console.log(answer === undefined ? '→ OK' : `→ OK ${JSON.stringify(platformCounts(answer))}`);
  return answer;
}

function platformCounts({ ios, android }) {
  return { ios, android };
}

function printReceived({ apns, fcm }) {
  for (const [name, { accepted, pushes }] of Object.entries({ APNs: apns, FCM: fcm })) {
    console.log(`\n${name} (fake) accepted ${accepted}:`);
    for (const { token, headers, body } of pushes) {
      console.log(
        `  to ${token.slice(0, 12)}… ${JSON.stringify(headers)}\n     ${JSON.stringify(body)}`,
      );
    }
  }
  console.log('');
}

function checkLedger(id, ledger) {
  const { targeted, sent, failed, expired, skipped, pending } = ledger;
  const balances = targeted === sent + failed + expired + skipped + pending;
  const sum = `${targeted} = ${sent} sent + ${failed} failed + ${expired} expired + ${skipped} skipped + ${pending} pending`;
  return check(`message ${id}: ${sum}`, balances && targeted === 1 && sent === 1);
}

function printLogs(folder) {
  const logs = path.join(folder, 'logs');
  for (const name of readdirSync(logs)) {
    const end = readFileSync(path.join(logs, name), 'utf8')
      .trim()
      .split('\n')
      .slice(-15)
      .join('\n');
    console.log(`\n--- the end of ${name}\n${end}`);
  }
}
