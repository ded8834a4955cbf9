import { Button, Divider } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { useText } from '../i18n/text.tsx';
import { findSignInWays } from './session.ts';

/** Why the provider sent somebody back who is not signed in, as the api says it. */
const REASONS = [
  'denied',
  'expired',
  'no_role',
  'disabled',
  'unavailable',
  'failed',
  'throttled',
  'insecure',
] as const;
type Reason = (typeof REASONS)[number];

/** The reason in the address, which goes from there: it is of this time, not of the page. */
export function useOtherFailure(): Reason | undefined {
  const { pathname, search, hash } = useLocation();
  const navigate = useNavigate();
  const [reason, setReason] = useState<Reason>();
  useEffect(() => {
    const found = /^#sign-in=(\w+)$/.exec(hash)?.[1];
    if (found === undefined) return;
    // No words but ours.
    setReason(REASONS.find((one) => one === found) ?? 'failed');
    void navigate({ pathname, search }, { replace: true });
  }, [navigate, pathname, search, hash]);
  return reason;
}

/** The ways beside a password; nothing where there is none, or while that is not known. */
export function OtherWays() {
  const say = useText();
  const { pathname, search } = useLocation();
  const ways = useQuery({ queryKey: ['sign-in-ways'], queryFn: findSignInWays });
  const oidc = ways.data?.oidc ?? undefined;
  if (oidc === undefined) return undefined;
  const to = new URLSearchParams({ to: pathname + search });
  return (
    <>
      <Divider label={say('signIn.or')} />
      {/* A link: the policy of the page keeps forms from leading elsewhere. */}
      <Button component="a" href={`${oidc.url}?${to}`} variant="default">
        {say('signIn.by', { name: oidc.name })}
      </Button>
    </>
  );
}
