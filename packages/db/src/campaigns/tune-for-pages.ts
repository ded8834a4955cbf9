import { sql } from 'kysely';

import type { Db } from '../database.ts';

/** Compiling would take longer than a page. And of tables that grow fast the planner knows too little for nested loops. */
export async function tuneForPages(tx: Db): Promise<void> {
  await sql`
    SELECT set_config('jit', 'off', true), set_config('enable_nestloop', 'off', true), set_config('work_mem', '32MB', true)`.execute(
    tx,
  );
}
