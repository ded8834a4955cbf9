import { AddressRefused, type AddressRefusedReason } from './address-refused.ts';
import { parseCustomerUrl } from './customer-url.ts';

function refusalOf(text: string): AddressRefusedReason | undefined {
  try {
    parseCustomerUrl(text);
  } catch (error) {
    if (error instanceof AddressRefused) return error.reason;
    throw error;
  }
  return undefined;
}

describe('the URL of a customer', () => {
  test.each([
    ['https://push.example.com/hook', 'https://push.example.com/hook'],
    ['https://push.example.com:8443/hook?brand=1', 'https://push.example.com:8443/hook?brand=1'],
    ['HTTPS://Push.Example.COM', 'https://push.example.com/'],
    [' https://push.example.com/a\n', 'https://push.example.com/a'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['https://1.1.1.1/', 'https://1.1.1.1/'],
    ['https://[2606:4700:4700::1111]:444/', 'https://[2606:4700:4700::1111]:444/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
  ])('%j is taken as %s', (text, href) => {
    expect(parseCustomerUrl(text).href).toBe(href);
  });

  test.each<[AddressRefusedReason, string]>([
    ['not_a_url', ''],
    ['not_a_url', 'push.example.com'],
    ['not_a_url', 'https://'],
    ['not_a_url', 'https://push.example.com:65536/'],
    ['not_a_url', 'https://[fe80::1%25eth0]/'],
    ['not_a_url', 'https://256.1.1.1/'],
    ['not_https', 'http://push.example.com/'],
    ['not_https', 'file:///etc/passwd'],
    ['not_https', 'ftp://push.example.com/'],
    ['userinfo', 'https://user@push.example.com/'],
    ['userinfo', 'https://:secret@push.example.com/'],
    ['userinfo', 'https://push.example.com:secret@127.0.0.1/'],
    ['fragment', 'https://push.example.com/#there'],
    ['fragment', 'https://push.example.com/#'],
    ['trailing_dot', 'https://push.example.com./'],
    ['trailing_dot', 'https://localhost./'],
    ['private_address', 'https://localhost/'],
    ['private_address', 'https://LOCALHOST:8443/'],
    ['private_address', 'https://a.localhost/'],
    ['private_address', 'https://127.0.0.1/'],
    ['private_address', 'https://127.0.0.1./'],
    ['private_address', 'https://2130706433/'],
    ['private_address', 'https://0x7f.1/'],
    ['private_address', 'https://0177.0.0.1/'],
    ['private_address', 'https://①②⑦.0.0.1/'],
    ['private_address', 'https://0/'],
    ['private_address', 'https://169.254.169.254/latest/meta-data/'],
    ['private_address', 'https://10.0.0.1/'],
    ['private_address', 'https://[::1]/'],
    ['private_address', 'https://[::ffff:127.0.0.1]/'],
    ['private_address', 'https://[fd00:ec2::254]/'],
  ])('is refused as %s: %s', (reason, text) => {
    expect(refusalOf(text)).toBe(reason);
  });

  test('may be private where that is allowed, but nothing else changes', () => {
    const allowed = { allowPrivateAddresses: true };

    expect(parseCustomerUrl('https://127.0.0.1:8443/', allowed).host).toBe('127.0.0.1:8443');
    expect(parseCustomerUrl('https://localhost/', allowed).host).toBe('localhost');
    expect(() => parseCustomerUrl('http://127.0.0.1/', allowed)).toThrow(AddressRefused);
  });

  test('is told in words what is wrong', () => {
    expect(() => parseCustomerUrl('https://10.0.0.1/')).toThrow(
      'Its host is not a public address.',
    );
  });
});
