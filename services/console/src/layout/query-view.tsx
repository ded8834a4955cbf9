import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { Failure } from './failure.tsx';
import { Waiting } from './waiting.tsx';

interface QueryViewProps<Data> {
  readonly query: UseQueryResult<Data>;
  readonly children: (data: Data) => ReactNode;
}

/** What was asked for once it is there; until then that it comes, or why it does not. */
export function QueryView<Data>({ query, children }: QueryViewProps<Data>) {
  if (query.isPending) return <Waiting />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return <>{children(query.data)}</>;
}
