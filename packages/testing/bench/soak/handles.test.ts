import { countHandles, listMore } from './handles.ts';

describe('listMore', () => {
  test('names what there is more of, and not what is gone', () => {
    const before = countHandles(['PipeWrap', 'Timeout', 'Timeout']);
    const after = countHandles(['PipeWrap', 'Timeout', 'TCPSocketWrap', 'TCPSocketWrap']);

    expect(listMore(before, after)).toEqual(['2 × TCPSocketWrap']);
    expect(listMore(after, before)).toEqual(['1 × Timeout']);
  });
});
