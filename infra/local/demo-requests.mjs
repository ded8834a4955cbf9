// The examples of the reference, with a validUntil that is not over and an activation for each user.

const PHONE = { userId: '123', activationId: '49414e31-f3df-4cea-87e6-f214ca3b8412' };
const TABLET = { userId: '1234', activationId: '26c94bf8-f594-4bd8-9c51-93449926b644' };

/** device/create for an iPhone of user 123 and an Android device of user 1234. */
export function devices(appId) {
  return [
    { appId, token: '1234567890abcdef'.repeat(4), platform: 'ios', ...PHONE },
    { appId, token: 'fcm-1234567890987654321234567890', platform: 'android', ...TABLET },
  ];
}

/** message/send to user 123. */
export function sendRequest(appId) {
  return { appId, message: message(PHONE) };
}

/** message/batch/send to users 123 and 1234. */
export function batchRequest(appId) {
  return { appId, batch: [message(PHONE), message(TABLET)] };
}

function message({ activationId, userId }) {
  return {
    activationId,
    userId,
    attributes: { personal: true, silent: true },
    body: {
      title: 'Balance update',
      body: 'Your balance is now $745.00',
      badge: 3,
      sound: 'default',
      icon: 'custom-icon',
      category: 'balance-update',
      collapseKey: 'balance-update',
      validUntil: new Date(Date.now() + 24 * 60 * 60_000).toISOString(),
      extras: { _comment: 'Any custom data.' },
    },
  };
}
