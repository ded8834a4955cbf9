import { createClient, type HeliographClient } from '@heliograph/client';
import { createContext, use, useMemo, type ReactNode } from 'react';

import { API_URL } from '../base.ts';
import type { Session } from '../session/session.ts';

const ApiContext = createContext<HeliographClient | undefined>(undefined);

interface ApiProviderProps {
  readonly session: Session;
  /** Told when the api no longer knows the session. */
  readonly onSignedOut: () => void;
  readonly children: ReactNode;
}

/** The public API, asked as the person who is signed in: by the session's cookie, which the browser shows by itself. */
export function ApiProvider({ session, onSignedOut, children }: ApiProviderProps) {
  const client = useMemo(
    () =>
      createClient({
        baseUrl: API_URL.href,
        fetch: async (url, init) => {
          const headers = new Headers(init?.headers);
          headers.set('x-csrf-token', session.csrfToken ?? '');
          const answer = await fetch(url, { ...init, headers });
          if (answer.status === 401) onSignedOut();
          return answer;
        },
      }),
    [session.csrfToken, onSignedOut],
  );
  return <ApiContext value={client}>{children}</ApiContext>;
}

/** Every endpoint of the api, in groups: `useApi().campaigns.list()`. */
export function useApi(): HeliographClient {
  const client = use(ApiContext);
  if (client === undefined) throw new Error('outside of ApiProvider');
  return client;
}
