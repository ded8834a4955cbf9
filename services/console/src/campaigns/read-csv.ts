import Papa, { type ParseResult } from 'papaparse';

/** The cells of a line. */
export type CsvRow = readonly string[];

export type CsvFault =
  /** A line has no end; mostly a quote was not closed. */
  | 'endless'
  /** It is not UTF-8: what is not ASCII would arrive as something else. */
  | 'encoding';

/** The file cannot be read as CSV. */
export class CsvError extends Error {
  readonly fault: CsvFault;

  constructor(fault: CsvFault) {
    super(`CSV: ${fault}`);
    this.name = 'CsvError';
    this.fault = fault;
  }
}

/** Characters of a line. */
const MAX_LINE = 1 << 20;

/** Browsers read files by megabytes; what is told of a piece would come too seldom. */
const PIECE_BYTES = 1 << 16;

/** Characters by which the delimiter is guessed. */
const HEAD = 1 << 14;

/**
 * The lines of a CSV file, as many at once as a piece of it held; blank ones are left out. In UTF-8 with or without a BOM, with any line ends, by
 * comma, semicolon or tab, whichever fits its first lines. Rejects with a `CsvError`. Knows at most one line and one piece at a time,
 * and tells how much it has read once the lines of a piece were taken.
 */
export async function* readCsv(
  pieces: ReadableStream<Uint8Array>,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<readonly CsvRow[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const lines = new CsvLines();
  let bytes = 0;
  for await (const piece of piecesOf(pieces)) {
    yield lines.push(decode(decoder, piece));
    bytes += piece.byteLength;
    onRead(bytes);
  }
  yield lines.end(decode(decoder));
}

/** In pieces of bounded size. Not every browser goes through streams by itself. */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (let at = 0; at < value.byteLength; at += PIECE_BYTES)
        yield value.subarray(at, at + PIECE_BYTES);
    }
  } finally {
    await reader.cancel();
  }
}

/** Without a piece: what is left. */
function decode(decoder: InstanceType<typeof TextDecoder>, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    throw new CsvError('encoding');
  }
}

/**
 * Papa Parse reads files by itself, too, but decodes each piece for itself, so that a letter of several bytes between two pieces would be lost; and
 * it believes that all lines end like the first. So its inner parser is handed text, and what is behind the last whole line waits for more.
 */
class CsvLines {
  #parser: Papa.Parser | undefined;
  #rest = '';
  /** A carriage return at the end of a piece, which a line feed may belong to. */
  #held = '';

  push(text: string): readonly CsvRow[] {
    const all = this.#held + text;
    this.#held = all.endsWith('\r') ? '\r' : '';
    this.#add(all.slice(0, all.length - this.#held.length));
    if (this.#parser === undefined && this.#rest.length < HEAD) return [];
    const rows = this.#parse(false);
    if (this.#rest.length > MAX_LINE) throw new CsvError('endless');
    return rows;
  }

  end(text: string): readonly CsvRow[] {
    this.#add(this.#held + text);
    return this.#parse(true);
  }

  #add(text: string): void {
    this.#rest += text.replaceAll(/\r\n?/g, '\n');
  }

  #parse(isEnd: boolean): readonly CsvRow[] {
    this.#parser ??= new Papa.Parser({ delimiter: guessDelimiter(this.#rest), newline: '\n' });
    const { data, errors, meta }: ParseResult<string[]> = this.#parser.parse(this.#rest, 0, !isEnd);
    // Of the line that waits for more, nothing is known yet.
    if (errors.some(({ type, row = 0 }) => type === 'Quotes' && row < data.length))
      throw new CsvError('endless');
    this.#rest = this.#rest.slice(meta.cursor);
    return data.filter((row) => row.length > 1 || row[0]?.trim() !== '');
  }
}

function guessDelimiter(head: string): string {
  const { meta } = Papa.parse(head.slice(0, HEAD), {
    preview: 10,
    newline: '\n',
    skipEmptyLines: 'greedy',
    delimitersToGuess: [',', ';', '\t'],
  });
  return meta.delimiter;
}
