import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * A kept-alive HTTP/1.1 connection with one request under way at a time. It reads no more of an answer than its status and its end:
 * `node:http` as a client costs more than a light server, and would be what we measure.
 */
export class LoadConnection {
  readonly #socket: Socket;
  #received = '';
  #answered: ((status: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.setEncoding('latin1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new LoadConnection(socket)));
    });
  }

  /** Resolves with the status once the whole answer is there. */
  exchange(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1];
    if (length === undefined) return this.#failed?.(new Error('an answer without Content-Length'));
    if (this.#received.length < headEnd + HEAD_END.length + Number(length)) return;

    const status = Number(this.#received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    this.#received = '';
    this.#answered?.(status);
  }
}
