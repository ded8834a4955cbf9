import { hash as hashArgon2, verify as verifyArgon2 } from '@node-rs/argon2';

/** What a password is hashed with, as Argon2id names it. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** Of OWASP's choices the one with least memory: sign-ins share their machine with sends. */
export const PASSWORD_COST: PasswordCost = { memoryKib: 19_456, passes: 2, lanes: 1 };

export interface Passwords {
  /** Whether as many wait for their turn as may. */
  isBusy(): boolean;
  /** Rejects with `PasswordsBusy` where too many wait, as `verify` does. */
  hash(password: string): Promise<string>;
  /** Where there is no hash to look at, it takes as long as where there is one, and the answer is no. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made at a lower cost than those of today. */
  isWeak(hash: string): boolean;
}

export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
}

export interface PasswordsOptions {
  readonly cost?: PasswordCost;
  readonly maxWaiting?: number;
}

/** With 30 ms each, who is in the line for about a second would rather come again. */
const MAX_WAITING = 32;

/**
 * Hashes away from the event loop, one at a time: so a flood of sign-ins takes one of the threads that files and names need too, and one
 * processor for as long as it lasts.
 */
export function createPasswords({
  cost = PASSWORD_COST,
  maxWaiting = MAX_WAITING,
}: PasswordsOptions = {}): Passwords {
  const options = {
    memoryCost: cost.memoryKib,
    timeCost: cost.passes,
    parallelism: cost.lanes,
  };
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  let nobodys: Promise<string> | undefined;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= maxWaiting) throw new PasswordsBusy('too many passwords to look at');
    waiting += 1;
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      waiting -= 1;
    }
  }

  const hash = (password: string) => hashArgon2(toBytes(password), options);

  return {
    isBusy: () => waiting >= maxWaiting,
    hash: (password) => inTurn(() => hash(password)),
    async verify(stored, password) {
      if (stored !== undefined)
        return inTurn(() => verifyArgon2(stored, toBytes(password)).catch(() => false));
      nobodys ??= hash('nobody has this password');
      const unused = await nobodys;
      await inTurn(() => verifyArgon2(unused, toBytes(password)));
      return false;
    },
    isWeak(stored) {
      const [, memory, passes, lanes] = ARGON2ID.exec(stored) ?? [];
      return !(
        Number(memory) >= cost.memoryKib &&
        Number(passes) >= cost.passes &&
        Number(lanes) >= cost.lanes
      );
    },
  };
}

const ARGON2ID = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/;

/** One spelling for what looks alike, however a keyboard composes it. */
function toBytes(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'));
}
