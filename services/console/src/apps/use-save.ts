import type { CallOptions } from '@heliograph/client';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';

import { useText } from '../i18n/text.tsx';
import { appKey, APPS_KEY } from './use-app.ts';

/** A dispatcher may ask the provider for 45 s; what nobody could tell then, the person decides about. */
export const PATIENT: CallOptions = {
  maxAttempts: 1,
  attemptTimeoutMs: 60_000,
  deadlineMs: 60_000,
};

/** What follows when a credential was saved: it is shown, and said. */
export function useSaved(appId: string): (verified: boolean) => Promise<void> {
  const say = useText();
  const cache = useQueryClient();
  return async (verified) => {
    notifications.show({
      color: 'green',
      message: say(verified ? 'credentials.savedVerified' : 'credentials.saved'),
    });
    await Promise.all([
      cache.invalidateQueries({ queryKey: appKey(appId) }),
      cache.invalidateQueries({ queryKey: APPS_KEY }),
      cache.invalidateQueries({ queryKey: ['certificates'] }),
    ]);
  };
}
