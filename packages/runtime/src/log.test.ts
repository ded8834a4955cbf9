import { openTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { createLogger } from './log.ts';

function logged(error: unknown): { readonly text: string; readonly err: unknown } {
  let text = '';
  createLogger('test', 'info', { write: (line) => void (text += line) }).warn({ err: error }, 'x');
  return { text, err: (JSON.parse(text) as { readonly err?: unknown }).err };
}

async function failureOf(query: Promise<unknown>): Promise<unknown> {
  return query.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('an error in the log', () => {
  test.each([
    [
      'a row that is refused',
      sql`INSERT INTO messages (id, app_ref, user_id, silent, personal, priority, body, awaited, expires_at)
        VALUES (gen_random_uuid(), 1, 'u', true, true, 'WRONG', '{"title":"my secret words"}', true, now())`,
      { code: '23514', constraint: expect.stringContaining('priority') as string },
    ],
    [
      'a text that is no JSON',
      sql`SELECT '{"title":"my secret words", no}'::json`,
      { code: '22P02' },
    ],
  ])('says what PostgreSQL has against %s, and not what stands there', async (_, query, facts) => {
    const { db, close } = await openTestDatabase();

    const error = await failureOf(query.execute(db));
    await close();

    expect(JSON.stringify(error)).toContain('my secret words');
    const { text, err } = logged(error);
    expect(err).toMatchObject({ type: 'DatabaseError', stack: expect.any(String), ...facts });
    expect(text).not.toContain('my secret words');
  });

  test('shows its own words, its cause and those that it sums up, and none of its other fields', () => {
    const cause = Object.assign(new Error('the cause'), { body: 'secret' });
    const one = Object.assign(new Error('one'), { code: 'ECONNREFUSED', headers: 'secret' });
    const error = new AggregateError([one], 'several', { cause });

    const { text, err } = logged(Object.assign(error, { body: 'secret' }));

    expect(err).toMatchObject({
      message: expect.stringContaining('several'),
      stack: expect.stringContaining('the cause'),
      aggregateErrors: [{ message: 'one', code: 'ECONNREFUSED' }],
    });
    expect(text).not.toContain('secret');
  });

  test.each([
    ['a word', 'a word'],
    [{ body: 'secret' }, undefined],
  ])('may be none: %j', (thrown, expected) => {
    expect(logged(thrown).err).toEqual(expected);
  });
});
