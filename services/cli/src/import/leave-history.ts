import type { PowerAuthSource } from '@heliograph/db';

import type { Finding } from './report.ts';
import type { Step } from './step.ts';

/** Messages of the past have no place here: they say of no delivery what became of it. What stays behind is counted. */
export function createHistoryStep({ source }: { readonly source: PowerAuthSource }): Step {
  return {
    name: 'message history',
    count: async () => 0,
    async read() {
      const count = await source.countMessages();
      const findings: readonly Finding[] =
        count === 0
          ? []
          : [{ kind: 'message history', remark: 'stored messages stay behind', row: '', count }];
      return { rows: 0, next: null, take: async () => findings, compare: async () => findings };
    },
  };
}
