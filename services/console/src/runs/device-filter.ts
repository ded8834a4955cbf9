import type { RunsDevicesQuery } from '@heliograph/client';

export const STATES = ['failed', 'expired', 'skipped', 'pending', 'sent'] as const;
export const PLATFORMS = ['ios', 'android'] as const;
/** The ones of runs: what else providers say is counted as `other`. */
export const REASONS = [
  'deferred',
  'expired',
  'cancelled',
  'device_removed',
  'device_reassigned',
  'token_deactivated',
  'token_in_audience',
  'environment',
  'other',
  'ambiguous',
  'BadDeviceToken',
  'DeviceTokenNotForTopic',
  'Unregistered',
  'ExpiredToken',
  'PayloadTooLarge',
  'Forbidden',
  'http_403',
  'http_404',
  'http_410',
  'http_400',
  'http_413',
  'http_422',
  'http_redirect',
  'http_500',
  'http_502',
  'http_503',
  'UNREGISTERED',
  'SENDER_ID_MISMATCH',
  'INVALID_ARGUMENT',
  'QUOTA_EXCEEDED',
  'UNAVAILABLE',
  'INTERNAL',
] as const satisfies readonly NonNullable<RunsDevicesQuery['reason']>[];

export type DeviceFilter = Pick<RunsDevicesQuery, 'state' | 'reason' | 'platform'>;

/** Which devices of a run the address asks for. */
export function readDeviceFilter(parameters: URLSearchParams): DeviceFilter {
  const state = STATES.find((one) => one === parameters.get('state'));
  const reason = REASONS.find((one) => one === parameters.get('reason'));
  const platform = PLATFORMS.find((one) => one === parameters.get('platform'));
  return {
    ...(state === undefined ? {} : { state }),
    ...(reason === undefined ? {} : { reason }),
    ...(platform === undefined ? {} : { platform }),
  };
}
