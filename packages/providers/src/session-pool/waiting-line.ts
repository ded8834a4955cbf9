/** First in, first out among those of equal patience; whoever has to leave earlier is ahead. */
export class WaitingLine<T extends { readonly waitsUntilMs: number }> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Looked through from its end: with patience that is about equal that is a glance. */
  push(item: T): void {
    let at = this.#items.length;
    while (at > this.#head && this.#isAfter(at - 1, item)) at -= 1;
    if (at === this.#items.length) this.#items.push(item);
    else this.#items.splice(at, 0, item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    // Moved seldom, and half of it at least is gone then.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  #isAfter(at: number, item: T): boolean {
    const other = this.#items[at];
    return other !== undefined && other.waitsUntilMs > item.waitsUntilMs;
  }
}
