import type { TLSSocket } from 'node:tls';

/** Frames of one turn of the event loop are written together, in pieces of that size at most. */
const PIECE_BYTES = 65_536;
const MAX_SPARE_PIECES = 4;

/** Gathers what is to be written, and hands it to the socket once per turn of the event loop. */
export class Output {
  readonly #socket: TLSSocket;
  /** Everything that was gathered went to the socket. */
  readonly #onFlush: () => void;
  /** The socket got rid of something. */
  readonly #onWritten: () => void;
  readonly #spare: Buffer[] = [];
  #piece: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #length = 0;
  #handedOver = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(
    socket: TLSSocket,
    events: { readonly onFlush: () => void; readonly onWritten: () => void },
  ) {
    this.#socket = socket;
    this.#onFlush = events.onFlush;
    this.#onWritten = events.onWritten;
  }

  /** What the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#length + this.#handedOver;
  }

  /** Where what is written next belongs in the buffer that `reserve` answers. */
  get offset(): number {
    return this.#length;
  }

  /** A buffer with a place for `bytes` at `offset`, until the next call; `commit` says how far it was used. */
  reserve(bytes: number): Buffer {
    if (this.#length + bytes > this.#piece.length) {
      this.flush();
      if (bytes > this.#piece.length) this.#piece = Buffer.allocUnsafeSlow(bytes);
    }
    return this.#piece;
  }

  commit(end: number): void {
    this.#length = end;
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.flush();
    });
  }

  flush(): void {
    if (this.#length === 0 || this.#closed) return;
    const piece = this.#piece;
    const bytes = this.#length;
    this.#piece = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#length = 0;
    this.#handedOver += bytes;
    this.#onFlush();
    this.#socket.write(piece.subarray(0, bytes), (error) => {
      // The connection is gone, and about to notice.
      if (error) return;
      this.#handedOver -= bytes;
      if (piece.length === PIECE_BYTES && this.#spare.length < MAX_SPARE_PIECES)
        this.#spare.push(piece);
      this.#onWritten();
    });
  }

  /** Nothing more is written. */
  close(): void {
    this.#closed = true;
    clearImmediate(this.#scheduled);
    this.#length = 0;
  }
}
