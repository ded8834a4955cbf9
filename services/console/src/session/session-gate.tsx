import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback, type ReactNode } from 'react';

import { ApiProvider } from '../api/api-provider.tsx';
import { Failure } from '../layout/failure.tsx';
import { Waiting } from '../layout/waiting.tsx';
import { findSession, maySession, signOut, type Scope, type Session } from './session.ts';
import { SignInPage } from './sign-in-page.tsx';

const KEY = ['session'];

interface Current {
  readonly session: Session;
  readonly leave: () => Promise<void>;
}

const SessionContext = createContext<Current | undefined>(undefined);

/** Shows what is inside to whoever is signed in, and a form to everybody else; the address stays, so deep links work. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const cache = useQueryClient();
  const found = useQuery({ queryKey: KEY, queryFn: async () => (await findSession()) ?? null });

  const onSignedOut = useCallback(() => cache.setQueryData(KEY, null), [cache]);

  if (found.isPending) return <Waiting />;
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const session = found.data;
  if (session === null) return <SignInPage enter={(entered) => cache.setQueryData(KEY, entered)} />;

  const leave = async () => {
    await signOut(session);
    cache.setQueryData(KEY, null);
    // Whoever signs in next sees nothing of what this one saw.
    cache.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
  };
  return (
    <SessionContext value={{ session, leave }}>
      <ApiProvider session={session} onSignedOut={onSignedOut}>
        {children}
      </ApiProvider>
    </SessionContext>
  );
}

export function useSession(): Current {
  const current = use(SessionContext);
  if (current === undefined) throw new Error('outside of SessionGate');
  return current;
}

/** Whether the person may do what needs that scope, or one of those. What they may not do is not offered; the api would refuse it. */
export function useMay(...scopes: readonly Scope[]): boolean {
  return maySession(useSession().session, ...scopes);
}
