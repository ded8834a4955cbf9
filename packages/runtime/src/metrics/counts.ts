import type { Counter } from 'prom-client';

/** How often something happened, under one set of labels. Whoever counts often keeps it. */
export interface Count {
  /** By one where nothing is said. */
  add(n?: number): void;
}

interface Place<T extends string> extends Count {
  readonly labels: Readonly<Record<T, string>>;
  /** Since it was collected last. */
  news: number;
}

/** A counter that costs an addition per event: prom-client is told when somebody asks, and looks its labels up then. */
export class Counts<T extends string = string> {
  readonly #places: Place<T>[] = [];

  of(labels: Readonly<Record<T, string>>): Count {
    const place: Place<T> = {
      labels,
      news: 0,
      add(n = 1) {
        place.news += n;
      },
    };
    this.#places.push(place);
    return place;
  }

  collect(counter: Counter<T>): void {
    for (const place of this.#places) {
      if (place.news === 0) continue;
      counter.inc(place.labels, place.news);
      place.news = 0;
    }
  }
}
