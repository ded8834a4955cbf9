import { toDevice } from './devices.ts';

const DAY_MS = 24 * 3_600_000;

/** What all messages say: what the reference's example does. */
export const PUSH_BODY = {
  title: 'Balance update',
  body: 'Your balance is now $745.00',
  badge: 3,
  sound: 'default',
  icon: 'custom-icon',
  category: 'balance-update',
  collapseKey: 'balance-update',
  extras: { _comment: 'Any custom data.' },
} as const;

interface RequestTarget {
  readonly appId: string;
  readonly apiKey: string;
}

/** Makes the bytes of `POST /push/message/send` to the user of a device: the reference's message, asynchronous. */
export function createRequestWriter({ appId, apiKey }: RequestTarget): (device: number) => string {
  const parts = JSON.stringify(toSendBody(appId, 'USER', 'ACTIVATION')).split(/USER|ACTIVATION/);
  const [beforeActivation = '', beforeUser = '', rest = ''] = parts;
  const toBody = (device: number) => {
    const { activationId, userId } = toDevice(device);
    return `${beforeActivation}${activationId}${beforeUser}${userId}${rest}`;
  };
  const head = [
    'POST /push/message/send HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Authorization: Bearer ${apiKey}`,
    // All bodies are equally long, and ASCII.
    `Content-Length: ${toBody(0).length}`,
    'Connection: keep-alive',
  ].join('\r\n');
  return (device) => `${head}\r\n\r\n${toBody(device)}`;
}

function toSendBody(appId: string, userId: string, activationId: string) {
  return {
    requestObject: {
      appId,
      mode: 'ASYNCHRONOUS',
      message: {
        activationId,
        userId,
        attributes: { personal: true, silent: false },
        body: { ...PUSH_BODY, validUntil: new Date(Date.now() + DAY_MS).toISOString() },
      },
    },
  };
}
