// The end of `npm run demo`: a campaign to ten thousand devices, with a progress bar.

import { openClient } from './admin.mjs';

export const CAMPAIGN_DEVICES = 10_000;
const REGISTRATIONS_AT_ONCE = 32;
const RUN_TIMEOUT_MS = 120_000;
const BAR_WIDTH = 40;

/** Registers the devices, counts the audience, sends the campaign live, and resolves with the run when it is over. */
export async function sendCampaign(api, appId) {
  const client = await openClient(api);
  const users = Array.from({ length: CAMPAIGN_DEVICES }, (_, n) => `user-${n + 1}`);
  console.log(`\nA campaign to ${CAMPAIGN_DEVICES} devices, half of them on Android.`);
  await registerAll(client, appId, users);

  const { id } = await client.campaigns.create({
    appId,
    message: { title: 'Black Friday', body: 'Everything must go.' },
  });
  await client.campaigns.addUsers(id, users);
  const dryRun = await untilOver(client, await client.campaigns.sendLive(id, { dryRun: true }));
  const { ios, android } = dryRun.counts;
  console.log(`Dry run: ${ios.targeted} on iOS, ${android.targeted} on Android.`);

  const live = await client.campaigns.sendLive(id);
  const bar = createBar('Sending');
  const run = await untilOver(client, live, ({ counts: { total } }) =>
    bar.draw(total.targeted - total.pending, total.targeted, `${total.sent} sent`),
  );
  bar.end();
  const again = await client.campaigns.sendLive(id);
  return { dryRun, run, again };
}

async function registerAll(client, appId, users) {
  const bar = createBar('Registering');
  let next = 0;
  let done = 0;
  const registerOneAfterAnother = async () => {
    while (next < users.length) {
      const n = next;
      next += 1;
      await client.devices.register(toDevice(appId, users[n], n));
      done += 1;
      bar.draw(done, users.length, '');
    }
  };
  await Promise.all(Array.from({ length: REGISTRATIONS_AT_ONCE }, registerOneAfterAnother));
  bar.end();
}

function toDevice(appId, userId, n) {
  const activationId = `campaign-${n}`;
  return n % 2 === 0
    ? { appId, userId, activationId, platform: 'ios', token: n.toString(16).padStart(64, '0') }
    : { appId, userId, activationId, platform: 'android', token: `campaign-token-${n}` };
}

/** The run once it is over; rejects when that takes too long. */
async function untilOver(client, { campaignId, runId }, onProgress = () => {}) {
  const signal = AbortSignal.timeout(RUN_TIMEOUT_MS);
  let last;
  for await (const run of client.runs.events(campaignId, { runId }, { signal })) {
    onProgress(run);
    last = run;
  }
  return last;
}

/** A line that grows on a terminal; elsewhere a line for each quarter. */
function createBar(label) {
  let quarter = 0;
  return {
    draw(done, all, note) {
      const share = all === 0 ? 0 : done / all;
      if (process.stdout.isTTY) {
        const filled = Math.round(share * BAR_WIDTH);
        const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
        process.stdout.write(`\r${label} ${bar} ${done} of ${all} ${note}`);
        return;
      }
      if (Math.floor(share * 4) <= quarter) return;
      quarter = Math.floor(share * 4);
      console.log(`${label} ${Math.round(share * 100)} % ${done} of ${all} ${note}`.trimEnd());
    },
    end() {
      if (process.stdout.isTTY) process.stdout.write('\n');
    },
  };
}
