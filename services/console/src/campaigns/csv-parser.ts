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

const DELIMITERS = [',', ';', '\t'] as const;
type Delimiter = (typeof DELIMITERS)[number];

/**
 * The lines of a CSV file, as many at once as a piece of it held; blank ones are left out. In UTF-8 with or without a BOM, with any line ends, by
 * comma, semicolon or tab, whichever the first line has most of. Rejects with a `CsvError`. Knows at most one line and one piece at a time,
 * and tells how much it has read once the lines of a piece were taken.
 */
export async function* readCsv(
  pieces: ReadableStream<Uint8Array>,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<readonly CsvRow[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new CsvParser();
  let bytes = 0;
  for await (const piece of piecesOf(pieces)) {
    yield parser.push(decode(decoder, piece));
    bytes += piece.byteLength;
    onRead(bytes);
  }
  yield [...parser.push(decode(decoder)), ...parser.end()];
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
 * Where the parser is: `start` of a cell; in a `plain` one; in a `quoted` one; at a `quote` in that, which ends it or is one of two; behind a
 * carriage return (`cr`), which a line feed may belong to.
 */
type Place = 'start' | 'plain' | 'quoted' | 'quote' | 'cr';

class CsvParser {
  #format: { readonly delimiter: Delimiter; readonly special: RegExp } | undefined;
  /** The first line, as long as it has no end. */
  #head = '';
  #place: Place = 'start';
  #cell = '';
  #cells: string[] = [];
  #length = 0;
  #rows: CsvRow[] = [];

  push(text: string): readonly CsvRow[] {
    if (this.#format !== undefined) return this.#parse(text, this.#format.special);
    this.#head += text;
    if (endOfLine(this.#head) !== undefined) return this.#begin();
    if (this.#head.length > MAX_LINE) throw new CsvError('endless');
    return [];
  }

  end(): readonly CsvRow[] {
    const rows = this.#format === undefined ? this.#begin() : [];
    if (this.#place === 'quoted') throw new CsvError('endless');
    const hasMore = this.#cells.length > 0 || this.#cell !== '';
    if (!hasMore) return rows;
    this.#endCell();
    this.#endRow();
    return [...rows, ...this.#takeRows()];
  }

  #begin(): readonly CsvRow[] {
    const delimiter = toDelimiter(this.#head.slice(0, endOfLine(this.#head)));
    this.#format = { delimiter, special: new RegExp(`[\r\n${delimiter}]`, 'g') };
    return this.#parse(this.#head, this.#format.special);
  }

  #parse(text: string, special: RegExp): readonly CsvRow[] {
    let at = 0;
    while (at < text.length) at = this.#step(text, at, special);
    return this.#takeRows();
  }

  /** Goes on from there, and tells how far. */
  #step(text: string, at: number, special: RegExp): number {
    switch (this.#place) {
      case 'cr':
        this.#place = 'start';
        return text[at] === '\n' ? at + 1 : at;
      case 'start':
        this.#place = text[at] === '"' ? 'quoted' : 'plain';
        return this.#place === 'quoted' ? at + 1 : at;
      case 'quoted':
        return this.#stepQuoted(text, at);
      case 'quote':
        if (text[at] !== '"') {
          this.#place = 'plain';
          return at;
        }
        this.#add('"');
        this.#place = 'quoted';
        return at + 1;
      case 'plain':
        return this.#stepPlain(text, at, special);
    }
  }

  #stepQuoted(text: string, at: number): number {
    const end = text.indexOf('"', at);
    this.#add(text.slice(at, end === -1 ? undefined : end));
    if (end === -1) return text.length;
    this.#place = 'quote';
    return end + 1;
  }

  #stepPlain(text: string, at: number, special: RegExp): number {
    special.lastIndex = at;
    const found = special.exec(text);
    this.#add(text.slice(at, found?.index));
    if (found === null) return text.length;
    this.#endCell();
    this.#place = found[0] === '\r' ? 'cr' : 'start';
    if (found[0] === '\r' || found[0] === '\n') this.#endRow();
    return found.index + 1;
  }

  #add(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_LINE) throw new CsvError('endless');
    this.#cell += text;
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#length += 1;
    this.#cell = '';
  }

  #endRow(): void {
    const isBlank = this.#cells.length === 1 && this.#cells[0] === '';
    if (!isBlank) this.#rows.push(this.#cells);
    this.#cells = [];
    this.#length = 0;
  }

  #takeRows(): readonly CsvRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}

/** A quote opens where a cell begins. */
const QUOTED = /(?<=^|[,;\t\r\n])"[^"]*"/;
const FIRST_LINE = new RegExp(
  `^[\\r\\n]*(?:${QUOTED.source}|(?<![,;\\t\\r\\n]|^)"|[^"\\r\\n])+?[\\r\\n]`,
);

/** Undefined while there is none; those in quotes are none, nor are those before the first line. */
function endOfLine(text: string): number | undefined {
  return FIRST_LINE.exec(text)?.[0].length;
}

function toDelimiter(line: string): Delimiter {
  const plain = line.replaceAll(new RegExp(QUOTED, 'g'), '');
  const counts = DELIMITERS.map((delimiter) => plain.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}
