import type { Answer } from './answer.ts';

/** Tokens remembered as used up; beyond that the oldest get their fault once more. */
const REMEMBERED_TOKENS = 100_000;

/** A push token that asks for a fault by its beginning, so that one can be tried without a script. */
export interface TokenFault {
  /** What the token begins with, after the marker. */
  readonly code: string;
  readonly answer: Answer;
  readonly meaning: string;
}

/** `fault-<code>-…` always meets the fault, `fault-once-<code>-…` at its first push only. */
const MARKER = /^fault-(?<once>once-)?(?<code>[A-Z0-9_]+)/;

/** Finds the one of the faults that a token in plain words names. */
export function createFaultFinder(
  faults: readonly TokenFault[],
): (token: string) => NamedFault | undefined {
  const byCode = new Map(faults.map(({ code, answer }) => [code, answer]));
  return (token) => {
    if (!token.startsWith('fault-')) return undefined;
    const { once, code } = MARKER.exec(token)?.groups ?? {};
    const answer = byCode.get(code ?? '');
    return answer && { answer, once: once !== undefined };
  };
}

export function toFault(code: string, answer: Answer, meaning: string): TokenFault {
  return { code, answer, meaning };
}

/** A fault that a push token names, and whether only the first push to it meets the fault. */
export interface NamedFault {
  readonly answer: Answer;
  readonly once: boolean;
}

/** Remembers which tokens had the fault that they ask for only once. */
export class TokenFaults {
  readonly #find: (token: string) => NamedFault | undefined;
  readonly #spent = new Set<string>();

  constructor(find: (token: string) => NamedFault | undefined) {
    this.#find = find;
  }

  take(token: string): Answer | undefined {
    const fault = this.#find(token);
    if (!fault?.once) return fault?.answer;
    if (this.#spent.has(token)) return undefined;
    if (this.#spent.size >= REMEMBERED_TOKENS) this.#forgetOldest();
    this.#spent.add(token);
    return fault.answer;
  }

  clear(): void {
    this.#spent.clear();
  }

  #forgetOldest(): void {
    // A set iterates in order of insertion.
    for (const oldest of this.#spent) {
      this.#spent.delete(oldest);
      return;
    }
  }
}
