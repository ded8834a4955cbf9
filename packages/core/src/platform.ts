/** The services that carry a push to a device. A device belongs to exactly one of them. */
export const PROVIDERS = ['apns', 'fcm'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** The two hosts of APNs; a token works on exactly one of them. FCM knows no such split. */
export const ENVIRONMENTS = ['production', 'development'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

const BY_NAME = new Map<string, Provider>([
  ['ios', 'apns'],
  ['apns', 'apns'],
  ['android', 'fcm'],
  ['fcm', 'fcm'],
]);

/** The provider behind a platform name of the wire, in any case of letters; undefined for a name that we don't serve. */
export function findProvider(platform: string): Provider | undefined {
  return BY_NAME.get(platform.toLowerCase());
}
