import type { HeaderField } from '../request.ts';
import { refuseBadFields } from './field-syntax.ts';
import { boundOfFields, NEVER_INDEXED, writeLiterals, writeShortString } from './literal.ts';

/** The last secret fields as they stand in a block. They are long, and templates of one credential have the same. */
export class SecretMemo {
  #fields: readonly HeaderField[] = [];
  #bytes: Buffer = Buffer.alloc(0);

  /** Throws a `TypeError` on fields that are not to be sent. */
  encode(fields: readonly HeaderField[]): Buffer {
    if (areEqual(fields, this.#fields)) return this.#bytes;
    refuseBadFields(fields);
    const target = Buffer.allocUnsafeSlow(boundOfFields(fields));
    const end = writeLiterals(fields, NEVER_INDEXED, writeShortString, target, 0);
    this.#bytes = target.subarray(0, end);
    this.#fields = fields;
    return this.#bytes;
  }
}

function areEqual(some: readonly HeaderField[], others: readonly HeaderField[]): boolean {
  if (some === others) return true;
  if (some.length !== others.length) return false;
  return some.every(([name, value], i) => name === others[i]?.[0] && value === others[i][1]);
}
