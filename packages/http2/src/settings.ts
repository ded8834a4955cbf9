import { DEFAULT_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW, SETTING } from './frames.ts';
import { ProtocolError } from './protocol-error.ts';

/** What the peer wants of us. RFC 9113, section 6.5.2. */
export interface PeerSettings {
  headerTableSize: number;
  /** Infinite unless the peer says otherwise. */
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
}

export const DEFAULT_SETTINGS: Readonly<PeerSettings> = {
  headerTableSize: 4096,
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowSize: DEFAULT_WINDOW,
  maxFrameSize: MAX_FRAME_BYTES,
};

const SETTING_BYTES = 6;
const MAX_MAX_FRAME_SIZE = 2 ** 24 - 1;

/** Takes over the settings in a frame's payload; throws `ProtocolError` for values that are not allowed. */
export function applySettings(
  settings: PeerSettings,
  source: Buffer,
  start: number,
  end: number,
): void {
  if ((end - start) % SETTING_BYTES !== 0)
    throw new ProtocolError('FRAME_SIZE_ERROR', 'settings cut short');
  for (let offset = start; offset < end; offset += SETTING_BYTES)
    applySetting(settings, source.readUInt16BE(offset), source.readUInt32BE(offset + 2));
}

function applySetting(settings: PeerSettings, id: number, value: number): void {
  switch (id) {
    case SETTING.headerTableSize:
      settings.headerTableSize = value;
      return;
    case SETTING.enablePush:
      if (value !== 0) throw new ProtocolError('PROTOCOL_ERROR', 'a server can not be pushed to');
      return;
    case SETTING.maxConcurrentStreams:
      settings.maxConcurrentStreams = value;
      return;
    case SETTING.initialWindowSize:
      if (value > MAX_WINDOW) throw new ProtocolError('FLOW_CONTROL_ERROR', 'window too large');
      settings.initialWindowSize = value;
      return;
    case SETTING.maxFrameSize:
      if (value < MAX_FRAME_BYTES || value > MAX_MAX_FRAME_SIZE)
        throw new ProtocolError('PROTOCOL_ERROR', 'frame size not allowed');
      settings.maxFrameSize = value;
      return;
    default:
      // MAX_HEADER_LIST_SIZE is advice, and unknown ones are to be ignored.
      return;
  }
}
