import { isObject } from '../json.ts';

/** LivePerson: PushNotificationService, the platforms by their numbers and names on the wire. */
const PLATFORMS = new Map<unknown, string>([
  [1, 'apn'],
  [2, 'gcm'],
  [3, 'huawei'],
]);
const IOS = 1;

export type Schema = '2017' | 'current';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isNumber: Check = (value) => typeof value === 'number';

/** What says whom a push is for: always at the top. */
const ADDRESS: Readonly<Record<string, Check>> = {
  'push-service': isNumber,
  'device-token': isName,
  notificationType: isName,
};

/** What may be left out: at the top for iOS, in `data.payload` for the others. */
const IDENTIFIERS: Readonly<Record<Schema, Readonly<Record<string, Check>>>> = {
  '2017': {
    backendService: isText,
    conversationId: isText,
    originatorId: isText,
    brandId: isText,
  },
  current: {
    backendService: isText,
    conversationId: isText,
    dialogId: isText,
    originatorId: isText,
    brandId: isText,
    badge: isNumber,
    sequence: isNumber,
  },
};

/** What is wrong with a body that LivePerson is said to have sent, by its own reference; undefined if nothing is. */
export function findBodyMistake(body: unknown, schema: Schema): string | undefined {
  if (!isObject(body)) return 'The body must be a JSON object.';
  for (const [name, check] of Object.entries(ADDRESS)) {
    if (!check(body[name])) return `\`${name}\` is missing or of the wrong type.`;
  }
  const platform = body['push-service'];
  const type = PLATFORMS.get(platform);
  if (type === undefined || (schema === '2017' && platform === 3)) {
    return `There is no push-service ${String(platform)}.`;
  }
  if (body['notificationType'] !== type) return `\`notificationType\` must be ${type}.`;
  return platform === IOS ? findIosMistake(body, schema) : findDataMistake(body, schema);
}

function findIosMistake(body: Fields, schema: Schema): string | undefined {
  if (!isObject(body['aps'])) return '`aps` is missing or no object.';
  return findFieldMistake(body, { ...ADDRESS, aps: isObject, ...IDENTIFIERS[schema] }, '');
}

function findDataMistake(body: Fields, schema: Schema): string | undefined {
  const { data } = body;
  if (!isObject(data)) return '`data` is missing or no object.';
  if (!isText(data['message'])) return '`data.message` is missing or no string.';
  if (!isObject(data['payload'])) return '`data.payload` is missing or no object.';
  return (
    findFieldMistake(body, { ...ADDRESS, data: isObject }, '') ??
    findFieldMistake(data, { message: isText, payload: isObject }, 'data.') ??
    findFieldMistake(data['payload'], IDENTIFIERS[schema], 'data.payload.')
  );
}

/** What is absent is left out: null has no place here. */
function findFieldMistake(
  fields: Fields,
  checks: Readonly<Record<string, Check>>,
  path: string,
): string | undefined {
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) return `\`${path}${name}\` has no place here.`;
    if (!check(value)) return `\`${path}${name}\` is of the wrong type.`;
  }
  return undefined;
}
