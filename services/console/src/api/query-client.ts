import { HeliographError } from '@heliograph/client';
import { QueryClient } from '@tanstack/react-query';

import { ApiError } from './api-error.ts';

const TRIES = 3;

/** What was asked for is asked for again on trouble, but not where the api said no. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < TRIES && isPassing(error),
        staleTime: 2_000,
      },
      // What changes something is never repeated by itself: the person decides.
      mutations: { retry: false },
    },
  });
}

function isPassing(error: Error): boolean {
  const isAnswer = error instanceof ApiError || error instanceof HeliographError;
  // Without a status there was no answer.
  if (!isAnswer || error.status === undefined) return true;
  return error.status >= 500 || error.status === 429;
}
