import { toCsv } from './csv.ts';

describe('toCsv', () => {
  test.each([
    ['plain text', ['alice', 'ios'], 'alice,ios\r\n'],
    ['numbers, below 0 too', [7, -1.5], '7,-1.5\r\n'],
    ['what there is not', [null, undefined, ''], ',,\r\n'],
    ['a comma', ['a,b'], '"a,b"\r\n'],
    ['quotes', ['say "hi"'], '"say ""hi"""\r\n'],
    ['a line end inside', ['a\nb', 'c\rd'], '"a\nb","c\rd"\r\n'],
    ['letters of all kinds', ['Ünïcødé 🌞'], 'Ünïcødé 🌞\r\n'],
    ['=', ['=1+1'], '"\'=1+1"\r\n'],
    ['+', ['+49170'], '"\'+49170"\r\n'],
    ['-', ['-2'], '"\'-2"\r\n'],
    ['@', ['@SUM(A1)'], '"\'@SUM(A1)"\r\n'],
    ['a tab before a formula', ['\t=1'], '"\'\t=1"\r\n'],
    ['a line end before a formula', ['\r=1', '\n=1'], '"\'\r=1","\'\n=1"\r\n'],
    [
      'a formula with quotes',
      ['=HYPERLINK("https://example.com","x")'],
      '"\'=HYPERLINK(""https://example.com"",""x"")"\r\n',
    ],
    ['these signs further in', ['a=b', 'a-b', 'a@b'], 'a=b,a-b,a@b\r\n'],
  ])('writes %s', (_, fields, line) => {
    expect(toCsv([fields])).toBe(line);
  });
});
