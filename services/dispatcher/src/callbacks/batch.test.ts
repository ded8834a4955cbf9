import { toCallbackCursor } from '@heliograph/core';
import type { CallbackEvent } from '@heliograph/db';

import { toBatch } from './batch.ts';

const toId = (n: number) => `0190f1a2-0000-7000-8000-${String(n).padStart(12, '0')}`;

function makeEvents(count: number, bytes = 10): [CallbackEvent, ...CallbackEvent[]] {
  const make = (n: number): CallbackEvent => ({
    id: toId(n),
    xid: '7',
    type: n % 2 === 0 ? 'delivery.sent' : 'run.started',
    data: { text: 'x'.repeat(bytes) },
    createdAt: new Date('2026-11-26T01:02:03.456Z'),
  });
  return [make(0), ...Array.from({ length: count - 1 }, (_, n) => make(n + 1))];
}

const ALL = { appId: '1', types: null };

describe('a batch', () => {
  test('is told with the app, and the cursor behind its last event', () => {
    const events = makeEvents(2);

    const { body, end } = toBatch(events, ALL, 500);

    expect(JSON.parse(body.toString())).toEqual({
      appId: 1,
      events: events.map(({ id, type, data }) => ({
        id,
        type,
        at: '2026-11-26T01:02:03.456Z',
        data,
      })),
      cursor: toCallbackCursor({ xid: '7', id: toId(1) }),
    });
    expect(end).toBe(events[1]);
  });

  test('has no more events than are allowed, and no more bytes', () => {
    expect(toBatch(makeEvents(10), ALL, 3)).toMatchObject({ events: 3, end: { id: toId(2) } });
    const large = toBatch(makeEvents(10, 100_000), ALL, 500);
    expect(large).toMatchObject({ events: 2, end: { id: toId(1) } });
    expect(large.body.length).toBeLessThan(256 * 1024 + 200);
  });

  test('has one event, however large', () => {
    expect(toBatch(makeEvents(2, 1_000_000), ALL, 500)).toMatchObject({
      events: 1,
      end: { id: toId(0) },
    });
  });

  test('leaves out what is not wanted, and ends behind it', () => {
    const some = { appId: 'shop', types: ['run'] };

    expect(toBatch(makeEvents(5), some, 1)).toMatchObject({ events: 1, end: { id: toId(2) } });
    expect(toBatch(makeEvents(1), some, 1)).toMatchObject({ events: 0, end: { id: toId(0) } });
  });
});
