import { findBodyMistake } from './body-rules.ts';

const IDENTIFIERS = {
  backendService: 'ams',
  conversationId: '6d9e4f5e-6b3b-4a09-9c3b-25fd0d1ac1c3',
  originatorId: '12345.678',
  brandId: '12345',
};
const ALL_IDENTIFIERS = { ...IDENTIFIERS, dialogId: 'd-1', badge: 2, sequence: 7 };
const ADDRESS = { 'push-service': 1, 'device-token': 'any text', notificationType: 'apn' };
const APS = { alert: 'Hello\\n', sound: 'default' };
const IOS = { ...ADDRESS, aps: APS, ...ALL_IDENTIFIERS };
const ANDROID = {
  ...ADDRESS,
  'push-service': 2,
  notificationType: 'gcm',
  data: { message: 'Hello\\n', payload: ALL_IDENTIFIERS },
};
const IOS_2017 = { ...ADDRESS, aps: APS, ...IDENTIFIERS };
const ANDROID_2017 = { ...ANDROID, data: { message: 'Hello\\n', payload: IDENTIFIERS } };

const without = (body: object, name: string) =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));

describe('findBodyMistake', () => {
  test.each([
    ['iOS', IOS],
    ['Android', ANDROID],
    ['Huawei', { ...ANDROID, 'push-service': 3, notificationType: 'huawei' }],
    ['iOS without identifiers', { ...ADDRESS, aps: APS }],
    ['Android without identifiers', { ...ANDROID, data: { message: '', payload: {} } }],
  ])('takes what is sent today: %s', (_, body) => {
    expect(findBodyMistake(body, 'current')).toBeUndefined();
  });

  test.each([
    ['iOS', IOS_2017],
    ['Android', ANDROID_2017],
  ])('takes what was sent in 2017: %s', (_, body) => {
    expect(findBodyMistake(body, '2017')).toBeUndefined();
  });

  test.each([
    ['dialogId', IOS, '`dialogId` has no place here.'],
    ['what came later', ANDROID, '`data.payload.dialogId` has no place here.'],
    [
      'Huawei',
      { ...ANDROID_2017, 'push-service': 3, notificationType: 'huawei' },
      'There is no push-service 3.',
    ],
  ])('refuses in 2017: %s', (_, body, mistake) => {
    expect(findBodyMistake(body, '2017')).toBe(mistake);
  });

  test.each([
    ['no object', [], 'JSON object'],
    ['no token', without(IOS, 'device-token'), '`device-token`'],
    ['an empty token', { ...IOS, 'device-token': '' }, '`device-token`'],
    ['no platform', without(IOS, 'push-service'), '`push-service`'],
    ['the platform as a string', { ...IOS, 'push-service': '1' }, '`push-service`'],
    ['an unknown platform', { ...IOS, 'push-service': 4 }, 'no push-service 4'],
    ['no type', without(IOS, 'notificationType'), '`notificationType`'],
    ['the type of another platform', { ...IOS, notificationType: 'gcm' }, 'must be apn'],
    ['iOS without aps', without(IOS, 'aps'), '`aps`'],
    ['iOS with data', { ...IOS, data: {} }, '`data` has no place here'],
    ['null for what is absent', { ...IOS, dialogId: null }, '`dialogId` is of the wrong type'],
    ['a number as a string', { ...IOS, badge: '2' }, '`badge` is of the wrong type'],
    ['an identifier as a number', { ...IOS, brandId: 12345 }, '`brandId` is of the wrong type'],
    ['Android without data', without(ANDROID, 'data'), '`data`'],
    ['Android with aps', { ...ANDROID, aps: APS }, '`aps` has no place here'],
    ['Android without text', { ...ANDROID, data: { payload: {} } }, '`data.message`'],
    ['Android without payload', { ...ANDROID, data: { message: '' } }, '`data.payload`'],
    [
      'identifiers of Android at the top',
      { ...ANDROID, brandId: '12345' },
      '`brandId` has no place here',
    ],
    [
      'a field of nobody',
      { ...ANDROID, data: { message: '', payload: { toString: '' } } },
      '`data.payload.toString` has no place here',
    ],
  ])('refuses %s', (_, body, mistake) => {
    expect(findBodyMistake(body, 'current')).toContain(mistake);
  });
});
