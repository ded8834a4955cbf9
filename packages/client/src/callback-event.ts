import type { RunProgress } from './generated/schemas.ts';

/** What a callback tells. New types may come: ignore what you don't know. */
export type CallbackEvent = DeliveryEvent | RunEvent | TokenDeactivatedEvent | PingEvent;

interface Told<Type extends string, Data> {
  /** The same whenever and to whomever it is told: keep those of the last day, and leave out what you have. */
  readonly id: string;
  readonly type: Type;
  /** When it was recorded, ISO 8601. */
  readonly at: string;
  readonly data: Data;
}

type Platform = 'ios' | 'android';

/** A delivery of a message is final; there is one event for each. */
export type DeliveryEvent = Told<
  'delivery.sent' | 'delivery.failed' | 'delivery.expired' | 'delivery.skipped',
  {
    /** What sending answered, or the `requestId` of a signed push. */
    readonly messageId: string;
    readonly deliveryId: string;
    readonly platform: Platform;
    readonly userId: string;
    /** Null where the device is gone or somebody else's. */
    readonly activationId: string | null;
    readonly reason: string | null;
    readonly attempts: number;
    readonly providerMessageId: string | null;
  }
>;

/** A run of a campaign changed its state. With `run.completed` and `run.settled` the counts are final. */
export type RunEvent = Told<
  | 'run.started'
  | 'run.paused'
  | 'run.resumed'
  | 'run.halted'
  | 'run.completed'
  | 'run.cancelled'
  | 'run.settled',
  {
    readonly runId: string;
    readonly campaignId: number;
    readonly state: RunProgress['state'];
    readonly reason: RunProgress['reason'];
    readonly dryRun: boolean;
    /** Per platform that it has devices of: targeted = sent + failed + expired + skipped + pending. */
    readonly counts: { readonly [name in Platform]?: CallbackCounts | undefined };
  }
>;

export interface CallbackCounts {
  readonly targeted: number;
  readonly sent: number;
  readonly failed: number;
  readonly expired: number;
  readonly skipped: number;
  readonly pending: number;
  readonly ambiguous: number;
}

/** A provider called a push token dead: the device gets nothing more until it registers anew. */
export type TokenDeactivatedEvent = Told<
  'device.token_deactivated',
  {
    readonly deviceId: number;
    readonly activationId: string | null;
    readonly userId: string | null;
    readonly platform: Platform;
    readonly reason: string;
  }
>;

/** Somebody asked for a test. */
export type PingEvent = Told<'ping', { readonly callbackId: number }>;
