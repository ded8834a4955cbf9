import { toRoom } from './callbacks.ts';

describe('the room for more requests', () => {
  test.each([
    [[], { proven: 32, unproven: 16, failing: 8, all: 32 }],
    [Array<'failing'>(8).fill('failing'), { proven: 32, unproven: 16, failing: 0, all: 24 }],
    [Array<'proven'>(32).fill('proven'), { proven: 0, unproven: 16, failing: 8, all: 0 }],
    [Array<'unproven'>(20).fill('unproven'), { proven: 32, unproven: 0, failing: 8, all: 12 }],
  ] as const)('beside %j is %j', (underWay, room) => {
    expect(toRoom(32, underWay)).toEqual(room);
  });

  test('is one for those that fail, at least', () => {
    expect(toRoom(2, [])).toMatchObject({ failing: 1, unproven: 1 });
  });
});
