import {
  parseTokenRecord,
  toStep,
  withoutTooSoon,
  type ProviderToken,
  type Situation,
  type TokenRecord,
} from './token-record.ts';

const NOW_MS = Date.parse('2026-01-01T12:00:00Z');
const MINUTE_MS = 60_000;

/** With the times of APNs. */
function token(text: string, ageMinutes: number): ProviderToken {
  const issuedAtMs = NOW_MS - ageMinutes * MINUTE_MS;
  const [renewAtMs, expiresAtMs] = [issuedAtMs + 45 * MINUTE_MS, issuedAtMs + 55 * MINUTE_MS];
  return { text, issuedAtMs, renewAtMs, expiresAtMs };
}

const record = (ageMinutes: number, rest: Partial<TokenRecord> = {}): TokenRecord => ({
  current: token('kept', ageMinutes),
  ...rest,
});
const own = (ageMinutes: number): TokenRecord => ({ current: token('own', ageMinutes) });
const notBefore = (minutes: number) => ({ mintNotBeforeMs: NOW_MS + minutes * MINUTE_MS });

describe('the next step to a token', () => {
  test.each([
    ['nothing is kept', {}, 'mint', undefined],
    ['the kept one is young', { kept: record(44) }, 'take', 'kept'],
    ['the kept one is due', { kept: record(45) }, 'mint', undefined],
    ['the kept one was refused', { kept: record(5), refused: 'kept' }, 'mint', undefined],
    ['another was refused', { kept: record(5), refused: 'other' }, 'take', 'kept'],
    ['the kept one is from a minute ahead', { kept: record(-1) }, 'take', 'kept'],
    ['the kept one is from the future', { kept: record(-2) }, 'mint', undefined],

    [
      'the kept one is due, but none may be made',
      { kept: record(50, notBefore(1)) },
      'take',
      'kept',
    ],
    ['the wait is over', { kept: record(50, notBefore(0)) }, 'mint', undefined],
    [
      'the kept one was refused, but none may be made',
      { kept: record(5, notBefore(1)), refused: 'kept' },
      'take',
      'kept',
    ],
    [
      'none may be made, and the one before has expired',
      { kept: record(55, { ...notBefore(9), other: token('other', 10) }) },
      'take',
      'other',
    ],
    ['none may be made, and none is left', { kept: record(55, notBefore(9)) }, 'mint', undefined],

    ['only our own is there', { own: own(5) }, 'share', 'own'],
    ['the kept one is no good', { own: own(5), kept: record(55) }, 'share', 'own'],
    ['our own is 19 minutes old', { own: own(19), kept: record(30) }, 'stay', 'own'],
    ['our own is 20 minutes old', { own: own(20), kept: record(30) }, 'take', 'kept'],
    ['our own is due', { own: own(45), kept: record(30) }, 'take', 'kept'],
    ['our own was refused', { own: own(5), kept: record(30), refused: 'own' }, 'take', 'kept'],
    ['both are due', { own: own(45), kept: record(50) }, 'mint', undefined],
  ] as [string, Partial<Situation>, string, string | undefined][])(
    'where %s',
    (_, situation, kind, text) => {
      const defaults = { kept: undefined, own: undefined, refused: undefined, nowMs: NOW_MS };

      const step = toStep({ ...defaults, ...situation });

      expect(step.kind).toBe(kind);
      expect('record' in step ? step.record.current.text : undefined).toBe(text);
    },
  );
});

describe('a token that came too soon', () => {
  test('changes places with the one before', () => {
    const [current, other] = [token('new', 0), token('old', 45)];

    const back = withoutTooSoon({ current, other }, 'new', NOW_MS);

    expect(back).toEqual({ current: other, other: current, ...notBefore(20) });
  });

  test.each([{}, { other: token('old', 55) }])('stays where there is none before', (rest) => {
    const current = token('new', 0);

    expect(withoutTooSoon({ current, ...rest }, 'new', NOW_MS)).toEqual({
      current,
      ...notBefore(20),
    });
  });

  test('is not the one in use any more', () => {
    const kept = record(5);

    expect(withoutTooSoon(kept, 'another', NOW_MS)).toBe(kept);
  });
});

describe('a record in the store', () => {
  test('comes back as it was', () => {
    const kept = record(5, { ...notBefore(1), other: token('other', 10) });

    expect(parseTokenRecord(JSON.stringify(kept))).toEqual(kept);
  });

  test.each([
    undefined,
    '',
    'nonsense',
    '[]',
    '{}',
    '{"current":{"text":"x"}}',
    '{"current":{"text":"","issuedAtMs":1,"renewAtMs":2,"expiresAtMs":3}}',
    '{"current":{"text":"x","issuedAtMs":"1","renewAtMs":2,"expiresAtMs":3}}',
  ])('is not %s', (text) => {
    expect(parseTokenRecord(text)).toBeUndefined();
  });
});
