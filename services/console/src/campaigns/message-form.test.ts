import { NO_FIELDS, parseExtras, toFields, toMessage } from './message-form.ts';

describe('toMessage', () => {
  test('leaves out what is empty', () => {
    const message = toMessage({ ...NO_FIELDS, title: 'Hello', badge: 0, extras: ' ' });

    expect(JSON.parse(JSON.stringify(message))).toEqual({ title: 'Hello', badge: 0 });
  });

  test('says what its template says, but for the time that this was valid', () => {
    const template = {
      title: 'Hello',
      body: 'World',
      bodyLocKey: 'offer',
      bodyLocArgs: ['5 %'],
      icon: 'tag',
      badge: 3,
      sound: 'default',
      category: 'OFFER',
      collapseKey: 'offers',
      extras: { page: 'offers', nested: [1] },
    };

    const message = toMessage(
      toFields(7, { ...template, validUntil: '2020-01-01T00:00:00Z' }),
      template,
    );

    expect(JSON.parse(JSON.stringify(message))).toEqual(template);
  });

  test('is valid until an instant', () => {
    const validUntil = '2030-06-01T12:30';

    expect(toMessage({ ...NO_FIELDS, validUntil }).validUntil).toBe(
      new Date(2030, 5, 1, 12, 30).toISOString(),
    );
  });
});

describe('parseExtras', () => {
  test.each(['', '1', '[]', 'null', '{', '"{}"'])('takes no %j', (text) => {
    expect(parseExtras(text)).toBeUndefined();
  });
});
