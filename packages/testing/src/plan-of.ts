import type { Db } from '@heliograph/db';

/** How PostgreSQL would run the last statement of what this calls, one that is written as SQL; nothing is run, and no rows come. */
export async function planOf(db: Db, call: (db: Db) => Promise<unknown>): Promise<string> {
  let plan = '';
  const explaining = db.withPlugin({
    transformQuery({ node }) {
      if (node.kind !== 'RawNode') return node;
      const [first = '', ...rest] = node.sqlFragments;
      return { ...node, sqlFragments: [`EXPLAIN ${first}`, ...rest] };
    },
    transformResult({ result }) {
      plan = result.rows.flatMap((row) => Object.values(row)).join('\n');
      return Promise.resolve({ ...result, rows: [] });
    },
  });
  try {
    await call(explaining);
  } catch (error) {
    // It may have counted on a row.
    if (plan === '') throw error;
  }
  return plan;
}
