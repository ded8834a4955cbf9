import { EventStreamParser } from './event-stream.ts';

const STREAM = [
  'retry: 2000\nid: 41\n\n',
  ':\n\n',
  'event: message\r\nid: 42\r\ndata: {"a":"ü"}\r\n\r\n',
  'data: one\rdata:two\rdata\r\r',
  'event: end\nunknown: x\ndata\n\n',
  'data: never ends',
].join('');

const BLOCKS = [
  { event: 'message', data: undefined, id: '41', retryMs: 2000 },
  { event: 'message', data: undefined, id: undefined, retryMs: undefined },
  { event: 'message', data: '{"a":"ü"}', id: '42', retryMs: undefined },
  { event: 'message', data: 'one\ntwo\n', id: undefined, retryMs: undefined },
  { event: 'end', data: '', id: undefined, retryMs: undefined },
];

describe('a stream of events', () => {
  const bytes = new TextEncoder().encode(STREAM);

  test.each([1, 2, 3, 7, 1000])('is the same in parts of %i bytes', (size) => {
    const parser = new EventStreamParser();
    const blocks = [];

    for (let at = 0; at < bytes.length; at += size)
      blocks.push(...parser.push(bytes.subarray(at, at + size)));

    expect(blocks).toEqual(BLOCKS);
  });

  test('is refused when a line, or an event, has no end', () => {
    const lines = new EventStreamParser();
    const line = new EventStreamParser();
    const part = new TextEncoder().encode('x'.repeat(65_536));
    const whole = new TextEncoder().encode(`data: ${'x'.repeat(65_536)}\n`);

    expect(() => {
      for (let n = 0; n < 20; n += 1) line.push(part);
    }).toThrow('too long');
    expect(() => {
      for (let n = 0; n < 20; n += 1) lines.push(whole);
    }).toThrow('too long');
  });

  test('ignores a retry that is no number', () => {
    const [block] = new EventStreamParser().push(new TextEncoder().encode('retry: soon\n\n'));

    expect(block?.retryMs).toBeUndefined();
  });
});
