// The end of `npm run demo`: a campaign to ten thousand devices, with a progress bar.

import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './admin.mjs';

export const CAMPAIGN_DEVICES = 10_000;
const REGISTRATIONS_AT_ONCE = 32;
const POLL_MS = 200;
const RUN_TIMEOUT_MS = 120_000;
const BAR_WIDTH = 40;

/** Registers the devices, counts the audience, sends the campaign live, and resolves with the run when it is over. */
export async function sendCampaign(api, appId) {
  const users = Array.from({ length: CAMPAIGN_DEVICES }, (_, n) => `user-${n + 1}`);
  console.log(`\nA campaign to ${CAMPAIGN_DEVICES} devices, half of them on Android.`);
  await registerAll(api, appId, users);

  const { id } = await call(api, 'POST', '/push/campaign/create', {
    appId,
    message: { title: 'Black Friday', body: 'Everything must go.' },
  });
  await call(api, 'PUT', `/push/campaign/${id}/user/add`, users);
  const dryRun = await untilOver(
    api,
    id,
    await call(api, 'POST', `/push/campaign/send/live/${id}`, { dryRun: true }),
  );
  const { ios, android } = dryRun.counts;
  console.log(`Dry run: ${ios.targeted} on iOS, ${android.targeted} on Android.`);

  const live = await call(api, 'POST', `/push/campaign/send/live/${id}`);
  const bar = createBar('Sending');
  const run = await untilOver(api, id, live, ({ counts: { total } }) =>
    bar.draw(total.targeted - total.pending, total.targeted, `${total.sent} sent`),
  );
  bar.end();
  const again = await call(api, 'POST', `/push/campaign/send/live/${id}`);
  return { dryRun, run, again };
}

async function registerAll(api, appId, users) {
  const bar = createBar('Registering');
  let next = 0;
  let done = 0;
  const registerOneAfterAnother = async () => {
    while (next < users.length) {
      const n = next;
      next += 1;
      await call(api, 'POST', '/push/device/create', toDevice(appId, users[n], n));
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

/** The run once it is over, or as it stands when the time is. */
async function untilOver(api, campaignId, first, onProgress = () => {}) {
  const deadline = Date.now() + RUN_TIMEOUT_MS;
  let run = first;
  for (;;) {
    onProgress(run);
    if (run.timestampFinished !== null || Date.now() > deadline) return run;
    await sleep(POLL_MS);
    run = await call(api, 'GET', `/push/campaign/${campaignId}/run?runId=${run.runId}`);
  }
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
