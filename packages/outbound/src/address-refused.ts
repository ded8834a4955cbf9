export const ADDRESS_REFUSALS = {
  not_a_url: 'It is not a URL.',
  not_https: 'Only https is allowed.',
  userinfo: 'A name or password has no place in it.',
  fragment: 'A fragment has no place in it.',
  trailing_dot: 'Its host must not end in a dot.',
  private_address: 'Its host is not a public address.',
} as const;

export type AddressRefusedReason = keyof typeof ADDRESS_REFUSALS;

/** We don't go to this address; the message says why, for whoever gave it. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ERR_ADDRESS_REFUSED';
  readonly reason: AddressRefusedReason;

  constructor(reason: AddressRefusedReason) {
    super(ADDRESS_REFUSALS[reason]);
    this.reason = reason;
  }
}
