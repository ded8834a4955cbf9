import { toErrorCode, type ErrorName } from './error-codes.ts';
import { FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from './frames.ts';

const PAYLOAD_BYTES = 8;

/** What a client says last. Its last stream is 0: the peer opens none. */
export function toGoawayFrame(code: ErrorName): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + PAYLOAD_BYTES);
  const payload = writeFrameHeader(frame, 0, PAYLOAD_BYTES, FRAME.goaway, 0, 0);
  frame.writeUInt32BE(toErrorCode(code), payload + 4);
  return frame;
}
