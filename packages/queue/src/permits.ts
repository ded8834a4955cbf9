/** What a bucket of permits granted. */
export interface Permits {
  readonly granted: number;
  /** When at least one more permit will be there; 0 where all wanted were granted. */
  readonly waitMs: number;
}

export function checkRate(perSecond: number): void {
  if (!(perSecond > 0 && Number.isFinite(perSecond)))
    throw new RangeError(`A rate is more than 0 per second, not ${perSecond}`);
}

export function checkCount(count: number): void {
  if (!(Number.isSafeInteger(count) && count >= 0))
    throw new RangeError(`A number of permits is a whole one, not ${count}`);
}

/** The numbers that a script answered. Throws where they are none. */
export function readNumbers(answer: unknown): readonly number[] {
  const numbers: readonly unknown[] = Array.isArray(answer) ? answer : [];
  if (numbers.length === 0 || !numbers.every((one) => typeof one === 'number'))
    throw new Error(`Redis answered a script with ${JSON.stringify(answer)}`);
  return numbers;
}
