import type { Provider, RawPayload } from '@heliograph/core';

/** A push as LivePerson hands it over, of whatever year its body is. */
export interface LivePersonPush {
  readonly provider: Provider;
  /** Any string: how the app registered the device. */
  readonly deviceToken: string;
  /** LivePerson's account number of the customer. */
  readonly brandId: string;
  readonly conversationId: string | undefined;
  /** Of the message in its conversation; bodies of 2017 have none. */
  readonly sequence: string | undefined;
  readonly raw: RawPayload;
}
