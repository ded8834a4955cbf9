/** A block of server-sent events, which need not be an event. */
export interface ServerSentBlock {
  readonly event: string;
  /** Undefined where the block has none, and is no event. */
  readonly data: string | undefined;
  readonly id: string | undefined;
  readonly retryMs: number | undefined;
}

/** A line of more characters is nothing that we know. */
const MAX_LENGTH = 1024 * 1024;

/** The blocks of a stream as they come, by the rules of the HTML standard. Throws when one is too long. */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #lines: string[] = [];
  #length = 0;

  /** The blocks that end in these bytes. */
  push(bytes: Uint8Array): readonly ServerSentBlock[] {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    // A CR at the end may be half of a CRLF.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    const blocks = lines.flatMap((line) => this.#take(line));
    if (this.#length + this.#rest.length > MAX_LENGTH) throw new Error('an event is too long');
    return blocks;
  }

  #take(line: string): ServerSentBlock[] {
    if (line !== '') {
      this.#lines.push(line);
      this.#length += line.length;
      return [];
    }
    const block = toBlock(this.#lines);
    this.#lines = [];
    this.#length = 0;
    return [block];
  }
}

function toBlock(lines: readonly string[]): ServerSentBlock {
  const fields = lines.map(toField);
  const last = (name: string) => fields.findLast((field) => field.name === name)?.value;
  const data = fields.filter(({ name }) => name === 'data');
  const retry = last('retry');
  return {
    event: last('event') ?? 'message',
    data: data.length === 0 ? undefined : data.map(({ value }) => value).join('\n'),
    id: last('id'),
    retryMs: retry !== undefined && /^\d+$/.test(retry) ? Number(retry) : undefined,
  };
}

/** A comment is a field without a name. */
function toField(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line, value: '' };
  return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}
