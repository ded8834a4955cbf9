import {
  ENVIRONMENTS,
  findProvider,
  Refusal,
  toWireAppId,
  type Environment,
  type Provider,
} from '@heliograph/core';
import { Type, type StringOptions, type TSchema, type TUnsafe } from '@sinclair/typebox';

/** Fields that many requests share. Each string has a format: see `FORMATS`. */

export function text(options: StringOptions = {}) {
  return Type.String({ format: 'text', ...options });
}

/** One of the values, exactly. */
export function oneOf<T extends string>(values: readonly T[], description?: string): TUnsafe<T> {
  return Type.Unsafe<T>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  });
}

/** One of the values, in any case of letters. */
export function oneOfAnyCase<T extends string>(values: readonly T[], description?: string) {
  return Type.Unsafe<T>({ ...oneOf(values, description), 'x-any-case': true });
}

export function optional<T extends TSchema>(schema: T) {
  return Type.Optional(schema);
}

/** A value that may be null in an answer. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** Kept as text; a number is answered as a number. Zero and negative numbers are none. */
export const AppId = Type.Unsafe<string>({
  type: ['string', 'integer'],
  format: 'text',
  minLength: 1,
  maxLength: 255,
  pattern: '^(?!\\s*$)(?!0+$)(?!-\\d)',
  'x-hint': 'must be a positive number or a text that is not blank',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The application, a positive number or a string.',
  examples: [1],
});

export const RowId = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The number that this server gave the application; not its appId.',
});

export const RatePerSecond = Type.Number({
  exclusiveMinimum: 0,
  maximum: 1_000_000,
  description: 'Messages per second over all dispatchers. No limit unless given.',
});

export const UUID_PATTERN = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

export const UserId = text({ minLength: 1, maxLength: 255 });
export const ActivationId = text({ minLength: 1, maxLength: 255 });

export const PushToken = Type.String({
  format: 'push-token',
  minLength: 1,
  description: 'APNs device token or FCM registration token, at most 4096 bytes.',
});

/** ISO 8601 with an offset, or epoch seconds: see `parseInstant`. */
export function instant(options: { readonly description: string; readonly examples: string[] }) {
  return Type.Unsafe<string | number>({
    type: ['string', 'number'],
    format: 'date-time',
    minimum: -62_135_596_800,
    exclusiveMaximum: 253_402_300_800,
    ...options,
  });
}

/** Names of platforms on the wire; `toProvider` refuses those that have no provider yet. */
const PLATFORMS = ['ios', 'android', 'apns', 'fcm', 'huawei', 'hms'] as const;
export const Platform = oneOfAnyCase(PLATFORMS, 'ios and android are also called apns and fcm.');

/** Refuses platforms that exist on the wire but have no provider here. */
export function toProvider(platform: string): Provider {
  const provider = findProvider(platform);
  if (provider === undefined)
    throw new Refusal('invalid_request', `Platform ${platform} is not supported by this server.`);
  return provider;
}

export const EnvironmentName = oneOfAnyCase<Environment>(ENVIRONMENTS);

/** An app id as callers get it back: a number where it is a canonical positive integer. */
export const WireAppId = Type.Union([Type.Integer(), Type.String()]);

export { toWireAppId };
