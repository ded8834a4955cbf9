/** What is told to callbacks. */
export const CALLBACK_TYPES = [
  'delivery.sent',
  'delivery.failed',
  'delivery.expired',
  'delivery.skipped',
  'run.started',
  'run.paused',
  'run.resumed',
  'run.halted',
  'run.completed',
  'run.cancelled',
  'run.settled',
  'device.token_deactivated',
  'ping',
] as const;
export type CallbackType = (typeof CALLBACK_TYPES)[number];

/** How far somebody has read: everything up to this place, in the order in which events are told. */
export interface CallbackPosition {
  /** The transaction that wrote the event, a number of 64 bits. */
  readonly xid: string;
  readonly id: string;
}

/** Before the first event. */
export const CALLBACKS_START: CallbackPosition = {
  xid: '0',
  id: '00000000-0000-0000-0000-000000000000',
};

const XID_BYTES = 8;
const ID_BYTES = 16;

/** The place as a text that means nothing to whoever gets it. */
export function toCallbackCursor({ xid, id }: CallbackPosition): string {
  const bytes = Buffer.alloc(XID_BYTES + ID_BYTES);
  bytes.writeBigUInt64BE(BigInt(xid));
  bytes.write(id.replaceAll('-', ''), XID_BYTES, 'hex');
  return bytes.toString('base64url');
}

/** Undefined for what is no cursor. */
export function parseCallbackCursor(cursor: string): CallbackPosition | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== XID_BYTES + ID_BYTES || bytes.toString('base64url') !== cursor)
    return undefined;
  const hex = bytes.toString('hex', XID_BYTES);
  return {
    xid: bytes.readBigUInt64BE().toString(),
    id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  };
}

/** Whether somebody who asked for these types, or for everything before a dot, wants that one. A ping goes to all. */
export function wantsCallback(types: readonly string[] | null, type: string): boolean {
  if (types === null || type === 'ping') return true;
  return types.includes(type) || types.includes(type.slice(0, type.indexOf('.')));
}
