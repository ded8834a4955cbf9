import type { PushMessage } from '@heliograph/core';

const DAY_MS = 86_400_000;

/** A push as LivePerson sends them. */
export const PROXY_MESSAGE: PushMessage = {
  id: 'bench',
  silent: false,
  priority: 'HIGH',
  expiresAt: new Date(Date.now() + DAY_MS),
  body: {
    body: 'Agent: your order has left our warehouse and will be there tomorrow.',
    sound: 'default',
    badge: 3,
    extras: {
      backendService: 'ams',
      conversationId: '19a6ff10-cbcb-4a0a-9ad1-2c2d6a6d6a0a',
      dialogId: '7c1f0a51-2f4d-4ba4-94a1-c7f5f6c2a7de',
      originatorId: '12345678.903',
      brandId: '12345678',
      sequence: 7,
    },
  },
};
