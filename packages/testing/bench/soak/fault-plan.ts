import { constants } from 'node:http2';

/** What happens to a request. */
export type Fault =
  | { readonly kind: 'none' }
  /** Accepted and answered, late; too late where the client has given it up by then. */
  | { readonly kind: 'slow'; readonly isTooLate: boolean }
  /** Reset without an answer; nobody can say whether it was accepted, but of REFUSED_STREAM, with which it never is. */
  | { readonly kind: 'reset'; readonly code: number; readonly isAccepted: boolean }
  /** Accepted, and then its connection goes away. */
  | { readonly kind: 'goaway'; readonly manner: GoawayManner };

/**
 * `graceful`: with the highest id there is, and a little later with the real one. `hard`: with the real one at once; what came after it is
 * not processed. `cut`: so, and closed without the answers that are owed.
 */
export type GoawayManner = 'graceful' | 'hard' | 'cut';

/** Each fault strikes one request of so many. */
const EVERY = 100;
const SLOW_AT = 25;
const RESET_AT = 50;
const GOAWAY_AT = 75;
const TOO_LATE_EVERY = 10;
const CUT_EVERY = 20;
/** Of HTTP/2, from 0 on. */
const ERROR_CODES = 14;

const NONE: Fault = { kind: 'none' };

/** Decides what happens to requests, in the order they come. */
export class FaultPlan {
  #requests = 0;
  #slow = 0;
  #resets = 0;
  #goaways = 0;
  /** Farewells that no connection could say yet. */
  #owed = 0;

  /** What happens to the next request; `mayGoAway`: whether its connection can go away. */
  next(mayGoAway: boolean): Fault {
    const place = this.#requests % EVERY;
    this.#requests += 1;
    if (place === GOAWAY_AT) this.#owed += 1;
    if (place === SLOW_AT) return this.#toSlow();
    if (place === RESET_AT) return this.#toReset();
    return this.#owed > 0 && mayGoAway ? this.#toGoaway() : NONE;
  }

  #toSlow(): Fault {
    this.#slow += 1;
    return { kind: 'slow', isTooLate: this.#slow % TOO_LATE_EVERY === 0 };
  }

  /** All codes in turns, each accepted in one turn and not in the next one. */
  #toReset(): Fault {
    const code = this.#resets % ERROR_CODES;
    const turn = Math.floor(this.#resets / ERROR_CODES);
    this.#resets += 1;
    const isAccepted = code !== constants.NGHTTP2_REFUSED_STREAM && turn % 2 === 0;
    return { kind: 'reset', code, isAccepted };
  }

  #toGoaway(): Fault {
    this.#owed -= 1;
    this.#goaways += 1;
    if (this.#goaways % CUT_EVERY === 0) return { kind: 'goaway', manner: 'cut' };
    return { kind: 'goaway', manner: this.#goaways % 2 === 0 ? 'graceful' : 'hard' };
  }
}
