/** RFC 9113, section 7: the name of each code at its own place. */
const NAMES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

export type ErrorName = (typeof NAMES)[number];

export function toErrorCode(name: ErrorName): number {
  return NAMES.indexOf(name);
}

/** The name of a code; of one that has none, the number. */
export function toErrorName(code: number): string {
  return NAMES[code] ?? `error ${code}`;
}
