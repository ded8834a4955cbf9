import { listErrorCodes, toConnectOutcome } from './transport-faults.ts';

const withCode = (code: string, cause?: unknown) =>
  Object.assign(new Error(code, { cause }), { code });

test.each([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'EPROTO',
])('%s pauses the endpoint', (code) => {
  expect(toConnectOutcome(withCode(code), 'connection')).toEqual({
    kind: 'pause',
    reason: code,
    scope: 'endpoint',
  });
});

test.each(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN', 'ECONNRESET', 'ENOTFOUND'])(
  '%s waits for a connection',
  (code) => {
    expect(toConnectOutcome(withCode('OUTER', withCode(code)), 'connection')).toEqual({
      kind: 'retry',
      reason: code,
      backoff: 'connection',
      bound: 'expiry',
    });
  },
);

test('an error without a code still waits', () => {
  expect(toConnectOutcome(new Error('?'), 'fcm_trouble')).toMatchObject({
    kind: 'retry',
    reason: 'connect_failed',
  });
});

test('a circle of causes ends', () => {
  const error = withCode('ROUND');
  error.cause = error;

  expect(new Set(listErrorCodes(error))).toEqual(new Set(['ROUND']));
});
