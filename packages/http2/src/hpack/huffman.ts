import { HpackError } from './hpack-error.ts';
import { CODE_LENGTHS, CODES, EOS } from './huffman-codes.ts';

/** States are the inner nodes of the code's tree; there are as many as octets. The root is 0. */
const STATES = 256;
const PADDING_BITS = 7;

// A step is what four bits do in a state: the next state, the octet that they complete, and marks.
const STATE = 0xff;
const OCTET_SHIFT = 8;
const EMITS_SHIFT = 16;
const HAS_EOS = 1 << 17;

const { steps: STEPS, mayEndIn: MAY_END_IN } = buildMachine();

/** In octets. Of printable ASCII. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_LENGTHS[text.charCodeAt(i)] ?? 0;
  return (bits + 7) >>> 3;
}

/** Printable ASCII, whose codes fit into a word beside what is pending. Answers the end offset. */
export function writeHuffman(text: string, target: Uint8Array, offset: number): number {
  let end = offset;
  let word = 0;
  // The low bits of the word that are not written yet: fewer than eight between two symbols.
  let pending = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const length = CODE_LENGTHS[symbol] ?? 0;
    word = (word << length) | (CODES[symbol] ?? 0);
    pending += length;
    while (pending >= 8) {
      pending -= 8;
      target[end++] = word >>> pending;
    }
  }
  if (pending > 0) target[end++] = (word << (8 - pending)) | (0xff >>> pending);
  return end;
}

/** Room for what so many octets of code can stand for, as the shortest code has five bits, and one octet to spare. */
export function decodedBound(length: number): number {
  return Math.floor((length * 8) / 5) + 1;
}

/** Answers the end offset in a target that has room for `decodedBound`. Throws `HpackError`. */
export function readHuffman(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let state = 0;
  let length = 0;
  let marks = 0;
  for (let i = start; i < end; i++) {
    const octet = source[i] ?? 0;
    const high = STEPS[(state << 4) | (octet >>> 4)] ?? 0;
    // Written whether complete or not, and only then counted: cheaper than a branch.
    target[length] = high >>> OCTET_SHIFT;
    length += (high >>> EMITS_SHIFT) & 1;
    const low = STEPS[((high & STATE) << 4) | (octet & 0xf)] ?? 0;
    target[length] = low >>> OCTET_SHIFT;
    length += (low >>> EMITS_SHIFT) & 1;
    state = low & STATE;
    marks |= high | low;
  }
  if ((marks & HAS_EOS) !== 0) throw new HpackError('Huffman code with EOS in it');
  if (MAY_END_IN[state] !== 1) throw new HpackError('Huffman code with wrong padding');
  return length;
}

function buildMachine(): { steps: Uint32Array; mayEndIn: Uint8Array } {
  const children = buildTree();
  const steps = new Uint32Array(STATES * 16);
  for (let step = 0; step < steps.length; step++) steps[step] = walk(children, step >>> 4, step);
  return { steps, mayEndIn: paddingStates(children) };
}

/** Two per node, for the bits 0 and 1: an inner node's number, or `STATES` and its symbol for a leaf. */
function buildTree(): Uint16Array {
  const children = new Uint16Array(STATES * 2);
  let nodes = 1;
  for (const [symbol, length] of CODE_LENGTHS.entries()) {
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const edge = node * 2 + (((CODES[symbol] ?? 0) >>> bit) & 1);
      if (bit === 0) children[edge] = STATES + symbol;
      else node = children[edge] ||= nodes++;
    }
  }
  return children;
}

function walk(children: Uint16Array, state: number, nibble: number): number {
  let node = state;
  let marks = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = children[node * 2 + ((nibble >>> bit) & 1)] ?? 0;
    if (node < STATES) continue;
    const symbol = node - STATES;
    // No code is shorter than five bits, so a step completes at most one.
    marks |= symbol === EOS ? HAS_EOS : (1 << EMITS_SHIFT) | (symbol << OCTET_SHIFT);
    node = 0;
  }
  return marks | node;
}

/** Where a string may end: after a whole code, or after up to seven ones. */
function paddingStates(children: Uint16Array): Uint8Array {
  const mayEndIn = new Uint8Array(STATES);
  let node = 0;
  for (let bits = 0; bits <= PADDING_BITS; bits++) {
    mayEndIn[node] = 1;
    node = children[node * 2 + 1] ?? 0;
  }
  return mayEndIn;
}
