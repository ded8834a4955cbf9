import { FLAG } from './frames.ts';
import type { Frame } from './frame-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/** Throws `ProtocolError` where the payload has another size. */
export function expectBytes({ start, end }: Frame, bytes: number): void {
  if (end - start !== bytes)
    throw new ProtocolError('FRAME_SIZE_ERROR', 'a frame of the wrong size');
}

/** Throws `ProtocolError` for a frame that is the connection's and names a stream. */
export function expectNoStream({ streamId }: Frame): void {
  if (streamId !== 0) throw new ProtocolError('PROTOCOL_ERROR', 'the frame belongs to no stream');
}

/** Priorities are obsolete: what one says is ignored, where it is well-formed. */
export function expectPriority(frame: Frame): void {
  if (frame.streamId === 0) throw new ProtocolError('PROTOCOL_ERROR', 'a priority of no stream');
  expectBytes(frame, 5);
}

/** Where the content of a frame begins and ends. Throws `ProtocolError` where padding takes more than there is. */
export function withoutPadding({ flags, source, start, end }: Frame): readonly [number, number] {
  if (!(flags & FLAG.padded)) return [start, end];
  if (start === end) throw new ProtocolError('FRAME_SIZE_ERROR', 'padding cut short');
  const from = start + 1;
  const to = end - (source[start] ?? 0);
  if (to < from) throw new ProtocolError('PROTOCOL_ERROR', 'more padding than frame');
  return [from, to];
}
