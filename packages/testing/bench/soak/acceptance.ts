/** What a server accepted, by the number of the push and the attempt: a bit each. */
export class Acceptance {
  readonly attempts: Uint8Array;
  /** An attempt that was accepted before. */
  again = 0;

  constructor(pushes: number) {
    this.attempts = new Uint8Array(pushes);
  }

  note(number: number, attempt: number): void {
    const before = this.attempts[number];
    if (before === undefined) throw new Error(`there is no push ${number}`);
    const bit = 1 << attempt;
    if ((before & bit) !== 0) this.again += 1;
    this.attempts[number] = before | bit;
  }
}
