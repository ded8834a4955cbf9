import { randomFillSync } from 'node:crypto';

/**
 * A message has room for this many deliveries: the last 16 bits of its id are zero, and its deliveries count them up.
 * So a delivery's id names its message, both sort by time, and one index serves both.
 */
export const MAX_DELIVERIES_PER_MESSAGE = 0xffff;

const RANDOM_POOL_BYTES = 8 * 512;
const pool = Buffer.allocUnsafe(RANDOM_POOL_BYTES);
let poolOffset = RANDOM_POOL_BYTES;

/** A UUIDv7 (RFC 9562) of that instant whose last 16 bits are zero: the id of a message. */
export function createMessageId(atMs: number): string {
  return createUuidFloor(atMs, 4);
}

/** A UUIDv7 of that instant whose last 32 bits are zero: the id of a campaign's run, whose deliveries count them up. */
export function createRunId(atMs: number): string {
  return createUuidFloor(atMs, 8);
}

/** The last `zeros` digits are zero. */
function createUuidFloor(atMs: number, zeros: number): string {
  if (poolOffset === RANDOM_POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const random = pool.subarray(poolOffset, (poolOffset += 8)).toString('hex');
  const time = toTimeHex(atMs);
  const variant = ((Number.parseInt(random.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  const node = random.slice(7, 19 - zeros).padEnd(12, '0');
  return `${time}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${node}`;
}

/** The id of the message's nth delivery, counted from 1. */
export function toDeliveryId(messageId: string, ordinal: number): string {
  if (ordinal < 1 || ordinal > MAX_DELIVERIES_PER_MESSAGE)
    throw new RangeError(`no delivery has the ordinal ${ordinal}`);
  return messageId.slice(0, -4) + ordinal.toString(16).padStart(4, '0');
}

/** The message that a delivery belongs to; a message's own id comes back as it is. */
export function toMessageId(deliveryId: string): string {
  return deliveryId.slice(0, -4) + '0000';
}

/** A run has room for this many deliveries. */
export const MAX_DELIVERIES_PER_RUN = 0xffff_ffff;

/** The id of the run's delivery with that ordinal, counted from 0: it is the place in the frozen audience, plus one. */
export function toRunDeliveryId(runId: string, ordinal: number): string {
  if (ordinal < 0 || ordinal >= MAX_DELIVERIES_PER_RUN)
    throw new RangeError(`no delivery of a run has the ordinal ${ordinal}`);
  return runId.slice(0, -8) + (ordinal + 1).toString(16).padStart(8, '0');
}

/** The run that a delivery belongs to, and its place there; a run's own id has the place -1. */
export function toRunPlace(deliveryId: string): {
  readonly runId: string;
  readonly ordinal: number;
} {
  return {
    runId: deliveryId.slice(0, -8) + '00000000',
    ordinal: Number.parseInt(deliveryId.slice(-8), 16) - 1,
  };
}

/** When a UUIDv7 was made, by the clock of who made it. */
export function toCreationMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The smallest UUIDv7 of that instant: the bound of a partition. */
export function toUuidFloor(atMs: number): string {
  return `${toTimeHex(atMs)}-0000-0000-000000000000`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID of any version, in either case of letters. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function toTimeHex(atMs: number): string {
  const hex = Math.floor(atMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
