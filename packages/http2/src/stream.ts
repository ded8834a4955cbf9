import type { HeaderField, Request, RequestEnd } from './request.ts';

const NOTHING = Buffer.alloc(0);

/** A request under way, and what has come of its answer. */
export class Stream {
  readonly id: number;
  readonly request: Request;
  /** On the clock of `performance.now()`. */
  readonly deadlineAtMs: number;
  /** How much more of the body the peer takes; negative after it lowered its initial window. */
  sendWindow: number;
  /** What of the body has no place in the windows yet. */
  unsent: Buffer | undefined;
  status: number | undefined;
  receivedBytes = 0;
  #fields: readonly HeaderField[] = [];
  #pieces: Buffer[] | undefined;

  constructor(id: number, request: Request, deadlineAtMs: number, sendWindow: number) {
    this.id = id;
    this.request = request;
    this.deadlineAtMs = deadlineAtMs;
    this.sendWindow = sendWindow;
  }

  /** Of a well-formed list the pseudo-fields come first. */
  addFields(fields: readonly HeaderField[]): void {
    const first = fields.findIndex(isRegular);
    const regular = first < 0 ? [] : fields.slice(first);
    this.#fields = this.#fields.length === 0 ? regular : [...this.#fields, ...regular];
  }

  /** Copies the bytes. */
  addBody(source: Buffer, start: number, end: number): void {
    if (start < end) (this.#pieces ??= []).push(Buffer.from(source.subarray(start, end)));
  }

  /** What the request came to where nothing more will come; `otherwise` counts where no status came. */
  toEnd(isComplete: boolean, otherwise: RequestEnd): RequestEnd {
    if (this.status === undefined) return otherwise;
    const pieces = this.#pieces;
    const body = pieces === undefined ? NOTHING : Buffer.concat(pieces);
    return { kind: 'answered', status: this.status, fields: this.#fields, body, isComplete };
  }
}

function isRegular([name]: HeaderField): boolean {
  return !name.startsWith(':');
}
