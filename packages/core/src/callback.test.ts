import {
  CALLBACKS_START,
  parseCallbackCursor,
  toCallbackCursor,
  wantsCallback,
} from './callback.ts';

describe('a cursor', () => {
  test.each([
    CALLBACKS_START,
    { xid: '18446744073709551615', id: '0190f1a2-0000-7000-8000-00000000ffff' },
  ])('leads back to %j, and is fit for a URL', (position) => {
    const cursor = toCallbackCursor(position);

    expect(parseCallbackCursor(cursor)).toEqual(position);
    expect(cursor).toMatch(/^[\w-]{32}$/);
  });

  test.each(['', 'x', 'AAAA', '!'.repeat(32), `${'A'.repeat(32)}A`, `${'A'.repeat(31)}=`])(
    'is not %j',
    (text) => {
      expect(parseCallbackCursor(text)).toBeUndefined();
    },
  );
});

describe('who wants what', () => {
  test.each([
    [null, 'delivery.sent', true],
    [['run'], 'delivery.sent', false],
    [['delivery'], 'delivery.sent', true],
    [['delivery.failed'], 'delivery.sent', false],
    [['delivery.failed'], 'delivery.failed', true],
    [['run'], 'ping', true],
    [['deliver'], 'delivery.sent', false],
  ])('%j and %s: %s', (types, type, expected) => {
    expect(wantsCallback(types, type)).toBe(expected);
  });
});
