/** A call of a logger as it stands in a source. */
export interface LogCall {
  readonly level: string;
  /** Undefined where it is no constant. */
  readonly message: string | undefined;
  /** The fields that are written out; what is spread is not among them. */
  readonly fields: readonly string[];
}

const CALL = /\b(?:log|#log|createLogger\(name\))\.(debug|info|warn|error|fatal)\(/g;

/** Every call of a logger in a source that Prettier has formatted. */
export function findLogCalls(source: string): LogCall[] {
  return Array.from(source.matchAll(CALL)).flatMap((call) => {
    const start = call.index + call[0].length;
    const args = splitArguments(source.slice(start, findEnd(source, start)));
    const [first = ''] = args;
    const level = call[1] ?? '';
    const fields = first.startsWith('{') ? toFields(first) : [];
    return toConstants(args.at(-1) ?? '').map((message) => ({ level, message, fields }));
  });
}

/** One constant, or the two of a condition. */
function toConstants(text: string): (string | undefined)[] {
  if (/^'[^']*'$/.test(text)) return [text.slice(1, -1)];
  const either = /\? '([^']*)' : '([^']*)'$/.exec(text);
  return either === null ? [undefined] : either.slice(1);
}

function toFields(text: string): string[] {
  return splitArguments(text.slice(1, -1)).flatMap((part) => /^(\w+)/.exec(part)?.[1] ?? []);
}

/** Where the parenthesis closes that was opened before `start`. */
function findEnd(source: string, start: number): number {
  let depth = 1;
  let at = start;
  while (depth > 0 && at < source.length) {
    const quoted = skipString(source, at);
    if (quoted > at) {
      at = quoted;
      continue;
    }
    if ('([{'.includes(source.charAt(at))) depth += 1;
    if (')]}'.includes(source.charAt(at))) depth -= 1;
    at += 1;
  }
  return at - 1;
}

/** At the commas that are in no brackets. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
    if ('([{'.includes(character)) at = findEnd(text, at + 1);
    const quoted = skipString(text, at);
    at = quoted > at ? quoted : at + 1;
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Behind the string that begins here; where none does, here. */
function skipString(text: string, at: number): number {
  const quote = text.charAt(at);
  if (!'\'"`'.includes(quote) || quote === '') return at;
  let end = at + 1;
  while (end < text.length && text.charAt(end) !== quote) end += text.charAt(end) === '\\' ? 2 : 1;
  return end + 1;
}
