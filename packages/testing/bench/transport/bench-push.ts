import { PUSH_BODY } from '../load-request.ts';

const DAY_SECONDS = 86_400;

/** The push of the other scenarios' message, as our provider for APNs makes it: 196 bytes of JSON. */
export function toBenchPush(bundle: string, nowMs: number) {
  const { title, body, badge, sound, category, collapseKey, extras } = PUSH_BODY;
  const aps = { alert: { title, body }, badge, sound, category, 'thread-id': collapseKey };
  return {
    headers: {
      'apns-topic': bundle,
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': String(Math.floor(nowMs / 1000) + DAY_SECONDS),
      'apns-collapse-id': collapseKey,
    },
    body: JSON.stringify({ ...extras, aps }),
  };
}
