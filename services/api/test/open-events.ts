export interface ReceivedEvent {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: unknown;
}

export interface OpenEvents {
  readonly status: number;
  /** Every block that came, also those that are no event. */
  readonly blocks: readonly string[];
  /** Those with data. */
  readonly events: readonly ReceivedEvent[];
  /** As a reader would send it to go on. */
  lastEventId(): string | undefined;
  /** Resolves when the server has ended it, rejects when it broke off. */
  readonly ended: Promise<void>;
  /** Goes away. */
  close(): void;
}

/** Opens a stream of server-sent events, and reads it as it comes. */
export async function openEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<OpenEvents> {
  const aborter = new AbortController();
  const answer = await fetch(url, { headers, signal: aborter.signal });
  const blocks: string[] = [];
  const events: ReceivedEvent[] = [];
  let lastEventId: string | undefined;

  const read = async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const part of answer.body ?? []) {
      const whole = (rest + decoder.decode(part as Uint8Array, { stream: true })).split('\n\n');
      rest = whole.pop() ?? '';
      for (const block of whole) {
        blocks.push(block);
        const id = fieldOf(block, 'id');
        lastEventId = id ?? lastEventId;
        const data = fieldOf(block, 'data');
        if (data !== undefined)
          events.push({ event: fieldOf(block, 'event'), id, data: JSON.parse(data) });
      }
    }
  };
  const ended = read();
  // Whoever closes it does not ask.
  ended.catch(() => undefined);
  return {
    status: answer.status,
    blocks,
    events,
    lastEventId: () => lastEventId,
    ended,
    close: () => aborter.abort(),
  };
}

function fieldOf(block: string, name: string): string | undefined {
  const line = block.split('\n').find((one) => one.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}
