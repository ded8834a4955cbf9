/** The bodies of LivePerson's pages, of 2017 and today. */

const IDENTIFIERS_2017 = {
  backendService: 'ams',
  conversationId: '5b1bf1c8-6d6a-4c4d-9f6d-3a5f0c2a9b11',
  originatorId: '89961346.282467614',
};

const IDENTIFIERS_TODAY = {
  ...IDENTIFIERS_2017,
  dialogId: '5b1bf1c8-6d6a-4c4d-9f6d-3a5f0c2a9b11',
  badge: 1,
  sequence: 3,
};

export interface BodyNames {
  readonly brandId: string;
  readonly deviceToken: string;
  /** The texts of the examples end in a line break. */
  readonly text?: string;
}

const identifiersOf = { '2017': IDENTIFIERS_2017, today: IDENTIFIERS_TODAY } as const;
export type BodyYear = keyof typeof identifiersOf;

export function toIosBody<Y extends BodyYear>(
  year: Y,
  { brandId, deviceToken, text = 'Hi there\n' }: BodyNames,
) {
  const identifiers: (typeof identifiersOf)[Y] = identifiersOf[year];
  return {
    aps: { alert: text, sound: 'default' },
    'push-service': 1,
    'device-token': deviceToken,
    notificationType: 'apn',
    ...identifiers,
    brandId,
  };
}

export function toAndroidBody<Y extends BodyYear>(
  year: Y,
  { brandId, deviceToken, text = 'Hi there\n' }: BodyNames,
) {
  const identifiers: (typeof identifiersOf)[Y] = identifiersOf[year];
  return {
    data: { message: text, payload: { ...identifiers, brandId } },
    'push-service': 2,
    'device-token': deviceToken,
    notificationType: 'gcm',
  };
}
