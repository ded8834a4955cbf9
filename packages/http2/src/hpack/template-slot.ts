import type { RequestTemplate } from '../request-template.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** A template as it stands in a block while the encoder's table stays as it is. */
export class TemplateSlot {
  /** Undefined where what is here holds for one block only. */
  template: RequestTemplate | undefined = undefined;
  /** Of the encoder's table, when this was encoded. */
  revision = 0;
  /** What stands before `:path` up to `pseudoEnd`, then what stands after it up to `end`, but for secrets. */
  bytes = NOTHING;
  pseudoEnd = 0;
  end = 0;
  secret = NOTHING;

  /** Memory is kept for the next template. */
  reserve(bytes: number): void {
    if (this.bytes.length < bytes) this.bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** Answers the end offset. */
  writePseudo(target: Buffer, offset: number): number {
    return copy(this.bytes, 0, this.pseudoEnd, target, offset);
  }

  /** All but the pseudo-fields. Answers the end offset. */
  writeRegular(target: Buffer, offset: number): number {
    const end = copy(this.bytes, this.pseudoEnd, this.end, target, offset);
    target.set(this.secret, end);
    return end + this.secret.length;
  }
}

function copy(source: Buffer, start: number, end: number, target: Buffer, offset: number): number {
  const shift = offset - start;
  for (let i = start; i < end; i++) target[i + shift] = source[i] ?? 0;
  return end + shift;
}
