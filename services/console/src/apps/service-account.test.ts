import { readServiceAccount } from './service-account.ts';

const FILE = {
  type: 'service_account',
  project_id: 'shop-4711',
  private_key: '-----BEGIN PRIVATE KEY-----\n…',
  client_email: 'push@shop-4711.iam.gserviceaccount.com',
};

describe('readServiceAccount', () => {
  test('reads the project out of the file', () => {
    const account = readServiceAccount(JSON.stringify(FILE));

    expect(account).toEqual({ projectId: 'shop-4711', clientEmail: FILE.client_email });
  });

  test.each([
    ['no JSON', '-----BEGIN PRIVATE KEY-----'],
    ['no object', 'null'],
    ['the file of the app', JSON.stringify({ project_info: { project_id: 'shop-4711' } })],
    ['an account of another type', JSON.stringify({ ...FILE, type: 'authorized_user' })],
    ['no project', JSON.stringify({ ...FILE, project_id: undefined })],
    ['a project that is no text', JSON.stringify({ ...FILE, project_id: 4711 })],
    ['no e-mail', JSON.stringify({ ...FILE, client_email: undefined })],
    ['no key', JSON.stringify({ ...FILE, private_key: undefined })],
  ])('knows %s for none', (_, text) => {
    expect(readServiceAccount(text)).toBeUndefined();
  });
});
