/** What a client has open, and under way in each lane. */
export interface ClientLoad {
  readonly sessions: number;
  readonly message: number;
  readonly campaign: number;
}

/** Something with connections, shared by all that would make an equal one. */
export interface SharedClient {
  /** Answers are owed. */
  readonly busy: boolean;
  readonly load: ClientLoad;
  close(): Promise<void>;
  /** Ends at once what is under way: nobody knows what became of it. */
  abandon(): void;
}

interface Entry<T> {
  readonly client: T;
  readonly holders: Set<object>;
  lastUsedAtMs: number;
}

/** Clients by what makes them equal: opened by the first who needs one, closed when nobody does, or when idle. */
export class SharedClients<T extends SharedClient> {
  readonly #now: () => Date;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #closing = new Set<Promise<void>>();
  readonly #leaving = new Set<T>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** The client of that key; `holder` keeps it until `release`. */
  use(key: string, holder: object, open: () => T): T {
    const lastUsedAtMs = this.#now().getTime();
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { client: open(), holders: new Set(), lastUsedAtMs };
      this.#entries.set(key, entry);
    }
    entry.holders.add(holder);
    entry.lastUsedAtMs = lastUsedAtMs;
    return entry.client;
  }

  /** Closes what the holder alone held. */
  async release(holder: object): Promise<void> {
    const abandoned = [...this.#entries].filter(
      ([, { holders }]) => holders.delete(holder) && holders.size === 0,
    );
    await Promise.all(abandoned.map(([key, { client }]) => this.#close(key, client)));
  }

  /** Closes what nobody used for that long; the next use opens it again. */
  closeIdle(idleMs: number): void {
    const before = this.#now().getTime() - idleMs;
    for (const [key, { client, lastUsedAtMs }] of this.#entries)
      if (lastUsedAtMs <= before && !client.busy) void this.#close(key, client);
  }

  /** What all of them have, those included that are closing. */
  get load(): ClientLoad {
    const sum = { sessions: 0, message: 0, campaign: 0 };
    const opened = Array.from(this.#entries.values(), ({ client }) => client);
    for (const { load } of [...opened, ...this.#leaving]) {
      sum.sessions += load.sessions;
      sum.message += load.message;
      sum.campaign += load.campaign;
    }
    return sum;
  }

  /** Closes all, those included that are closing already. */
  async close(): Promise<void> {
    for (const [key, { client }] of this.#entries) void this.#close(key, client);
    await Promise.all(this.#closing);
  }

  /** Ends at once what is under way, also of those that are closing. */
  abandon(): void {
    for (const { client } of this.#entries.values()) client.abandon();
    for (const client of this.#leaving) client.abandon();
  }

  #close(key: string, client: T): Promise<void> {
    this.#entries.delete(key);
    const closed = client.close();
    this.#closing.add(closed);
    this.#leaving.add(client);
    void closed.finally(() => {
      this.#closing.delete(closed);
      this.#leaving.delete(client);
    });
    return closed;
  }
}
