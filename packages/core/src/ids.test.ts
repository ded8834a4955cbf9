import {
  createMessageId,
  createRunId,
  isUuid,
  MAX_DELIVERIES_PER_MESSAGE,
  toDeliveryId,
  toMessageId,
  toRunDeliveryId,
  toRunPlace,
  toUuidFloor,
} from './ids.ts';

describe('message and delivery ids', () => {
  test('are UUIDv7 of the instant, in the variant of RFC 9562', () => {
    const at = Date.UTC(2026, 10, 23, 6, 0, 0, 123);

    const id = createMessageId(at);

    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{8}0000$/);
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(at);
  });

  test('sort by time, a message before its deliveries and those before the next instant', () => {
    const at = 1_700_000_000_000;
    const id = createMessageId(at);

    const sorted = [
      toUuidFloor(at),
      id,
      toDeliveryId(id, 1),
      toDeliveryId(id, MAX_DELIVERIES_PER_MESSAGE),
      toUuidFloor(at + 1),
    ];

    expect(sorted.toSorted()).toEqual(sorted);
  });

  test('lead from a delivery back to its message', () => {
    const id = createMessageId(Date.now());

    expect(toMessageId(toDeliveryId(id, 4711))).toBe(id);
    expect(toMessageId(id)).toBe(id);
  });

  test.each([0, -1, MAX_DELIVERIES_PER_MESSAGE + 1])('have no ordinal %d', (ordinal) => {
    expect(() => toDeliveryId(createMessageId(0), ordinal)).toThrow(RangeError);
  });

  test('do not repeat within one millisecond', () => {
    const ids = new Set(Array.from({ length: 100_000 }, () => createMessageId(1)));

    expect(ids.size).toBe(100_000);
  });

  test.each([
    ['0193579b-0000-7000-8000-000000000000', true],
    ['0193579B-0000-7000-8000-00000000000F', true],
    ['0193579b-0000-7000-8000-00000000000', false],
    ["0193579b-0000-7000-8000-000000000000'", false],
    ['', false],
  ])('%j is a UUID: %s', (text, expected) => {
    expect(isUuid(text)).toBe(expected);
  });
});

describe('ids of runs and their deliveries', () => {
  test('are a UUIDv7 counted up by the place in the audience, and lead back to it', () => {
    const runId = createRunId(1_700_000_000_000);

    expect(runId).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}00000000$/,
    );
    for (const ordinal of [0, 1, 0xffff, 0x1_0000, 9_999_999, 0xffff_fffe]) {
      const id = toRunDeliveryId(runId, ordinal);
      expect(isUuid(id)).toBe(true);
      expect(toRunPlace(id)).toEqual({ runId, ordinal });
    }
    expect(toRunPlace(runId)).toEqual({ runId, ordinal: -1 });
  });

  test('end where there is no room for more', () => {
    const runId = createRunId(0);

    expect(() => toRunDeliveryId(runId, 0xffff_ffff)).toThrow(RangeError);
    expect(() => toRunDeliveryId(runId, -1)).toThrow(RangeError);
  });
});
