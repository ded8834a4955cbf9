import { judgeSoak, type SoakBooks } from './judge-soak.ts';
import { ENDED } from './send-ledger.ts';

/** The books of one push. */
function toBooks(end: number, lastAttempt: number, accepted: number): SoakBooks {
  return {
    ends: Uint8Array.of(end),
    lastAttempts: Uint8Array.of(lastAttempt),
    endedAgain: 0,
    accepted: Uint8Array.of(accepted),
    acceptedAgain: 0,
  };
}

describe('judgeSoak', () => {
  test.each([
    ['sent, by the first attempt', ENDED.sent, 0, 0b1],
    ['sent, by the third attempt', ENDED.sent, 2, 0b100],
    ['ambiguous, and accepted', ENDED.ambiguous, 1, 0b10],
    ['ambiguous, and not accepted', ENDED.ambiguous, 0, 0],
    ['unprocessed to the last', ENDED.unprocessed, 5, 0],
  ])('finds nothing wrong with a push that is %s', (_, end, lastAttempt, accepted) => {
    const { faults } = judgeSoak(toBooks(end, lastAttempt, accepted));

    expect(faults).toEqual([]);
  });

  test.each([
    ['has no outcome', ENDED.not, 0, 0, ['have no outcome']],
    ['was sent, and is missing', ENDED.sent, 0, 0, ['the server has not accepted them']],
    ['was refused', ENDED.refused, 0, 0, ['were refused']],
    ['was accepted, and called unprocessed', ENDED.unprocessed, 0, 0b1, ['called unprocessed']],
    [
      'was accepted by an attempt before its last',
      ENDED.sent,
      1,
      0b11,
      ['were accepted more than once', 'called unprocessed'],
    ],
    [
      'was accepted by the wrong attempt',
      ENDED.sent,
      1,
      0b1,
      ['the server has not accepted them', 'called unprocessed'],
    ],
    ['is ambiguous in the wrong attempt', ENDED.ambiguous, 1, 0b1, ['called unprocessed']],
  ])('tells of a push that %s', (_, end, lastAttempt, accepted, texts) => {
    const { faults } = judgeSoak(toBooks(end, lastAttempt, accepted));

    expect(faults).toEqual(
      texts.map((text) => expect.stringMatching(new RegExp(`^1 pushes .*${text}`)) as string),
    );
  });

  test('tells of what was seen twice by either side', () => {
    const books = { ...toBooks(ENDED.sent, 0, 0b1), endedAgain: 2, acceptedAgain: 3 };

    const { faults } = judgeSoak(books);

    expect(faults).toEqual([
      '2 pushes had another outcome after their first',
      '3 pushes were accepted more than once',
    ]);
  });

  test('counts the pushes by their ends', () => {
    const books = {
      ...toBooks(ENDED.sent, 0, 0),
      ends: Uint8Array.of(
        ENDED.sent,
        ENDED.sent,
        ENDED.ambiguous,
        ENDED.ambiguous,
        ENDED.unprocessed,
      ),
      lastAttempts: Uint8Array.of(0, 1, 0, 0, 5),
      accepted: Uint8Array.of(0b1, 0b10, 0b1, 0, 0),
    };

    expect(judgeSoak(books)).toEqual({
      sent: 2,
      ambiguous: 2,
      ambiguousAccepted: 1,
      unprocessed: 1,
      faults: [],
    });
  });
});
