import { parseCampaignMessage } from './campaign-message.ts';

describe('parseCampaignMessage', () => {
  test.each([
    ['an empty message', '{}', {}],
    [
      'all texts and lists',
      '{"title":"t","titleLocKey":"k","titleLocArgs":["a"],"body":"b","bodyLocKey":"l","bodyLocArgs":[],"icon":"i","sound":"s","category":"c","collapseKey":"x","badge":0}',
      {
        title: 't',
        titleLocKey: 'k',
        titleLocArgs: ['a'],
        body: 'b',
        bodyLocKey: 'l',
        bodyLocArgs: [],
        icon: 'i',
        sound: 's',
        category: 'c',
        collapseKey: 'x',
        badge: 0,
      },
    ],
    [
      'nothing for null, and for what is unknown',
      '{"title":null,"extras":null,"x":1,"__proto__":{}}',
      {},
    ],
    ['an instant in ISO 8601', '{"validUntil":"2026-01-02T03:04:05.678Z"}', at('05.678Z')],
    ['an instant with an offset', '{"validUntil":"2026-01-02T04:04:05+0100"}', at('05.000Z')],
    ['an instant in seconds', '{"validUntil":1767323045.6781}', at('05.678Z')],
  ])('reads %s', (_name, json, message) => {
    expect(parseCampaignMessage(json)).toEqual(message);
  });

  test.each([
    '',
    'no JSON',
    'null',
    '[]',
    '"text"',
    '{"title":1}',
    '{"titleLocArgs":[1]}',
    '{"badge":1.5}',
    '{"badge":"2"}',
    '{"extras":[1]}',
    '{"validUntil":"soon"}',
    '{"validUntil":1e300}',
    '{"validUntil":{}}',
  ])('answers undefined for %s', (json) => {
    expect(parseCampaignMessage(json)).toBeUndefined();
  });
});

function at(seconds: string) {
  return { validUntil: `2026-01-02T03:04:${seconds}` };
}
