import type { CsvRow } from './read-csv.ts';
import { guessColumn, toRows, usersOf, type Tally, type UserColumn } from './users-of.ts';

async function gather(lots: readonly (readonly CsvRow[])[], column: UserColumn) {
  const users: string[] = [];
  const reports: Tally[] = [];
  for await (const user of usersOf(lots, column, (tally) => reports.push(tally))) users.push(user);
  return { users, reports };
}

describe('usersOf', () => {
  test('gives the users of a column once each, and reports after each lot', async () => {
    const lots = [
      [
        ['name', 'user'],
        ['A', 'alice'],
        ['B', ' bob '],
        ['A', 'alice'],
      ],
      [['C'], ['D', 'd'.repeat(256)], ['E', 'e'.repeat(255)], ['B', 'bob']],
    ];

    const { users, reports } = await gather(lots, { column: 1, hasHeading: true });

    expect(users).toEqual(['alice', 'bob', 'e'.repeat(255)]);
    expect(reports).toEqual([
      { users: 2, duplicates: 1, unusable: 0 },
      { users: 3, duplicates: 2, unusable: 2 },
    ]);
  });

  test('takes the first line for a user where there is no heading', async () => {
    expect((await gather([[], [['alice']]], { column: 0, hasHeading: false })).users).toEqual([
      'alice',
    ]);
  });
});

describe('guessColumn', () => {
  test.each<[readonly string[] | undefined, UserColumn]>([
    [['name', 'User-ID'], { column: 1, hasHeading: true }],
    [['userId'], { column: 0, hasHeading: true }],
    [['Kundennummer', 'Ort'], { column: 0, hasHeading: true }],
    [['alice', 'bob'], { column: 0, hasHeading: false }],
    [undefined, { column: 0, hasHeading: false }],
  ])('of %j', (row, guess) => {
    expect(guessColumn(row)).toEqual(guess);
  });
});

describe('toRows', () => {
  test('parts what was pasted', () => {
    expect(toRows(' \nalice\r\nbob, carol;\tdave\n')).toEqual([
      ['alice'],
      ['bob'],
      [' carol'],
      ['dave'],
    ]);
  });
});
