/** What a pool waits for, ms. */
export interface PoolTimes {
  /** For a connection with its server's settings. */
  readonly connectMs: number;
  /** Work that found no stream for so long is worth another connection. */
  readonly saturatedMs: number;
  /** One connection of several that was not in use for so long is closed. */
  readonly spareMs: number;
  /** A connection that has nothing under way, and takes nothing for so long, is of no use. */
  readonly stuckMs: number;
  /** For answers that are owed when a connection goes away; longer than any may take. */
  readonly drainMs: number;
  /** For the pong of a connection that left several requests without an answer. */
  readonly suspicionPingMs: number;
  /** A NAT or load balancer may forget a connection that is idle for longer: then it is pinged. */
  readonly pingAfterIdleMs: number;
  readonly idlePingMs: number;
  /** How often idle connections are looked at. */
  readonly lookAtIdleMs: number;
}

export const POOL_TIMES: PoolTimes = {
  connectMs: 5_000,
  saturatedMs: 1_000,
  spareMs: 10 * 60_000,
  stuckMs: 5_000,
  drainMs: 16_000,
  suspicionPingMs: 5_000,
  pingAfterIdleMs: 60_000,
  idlePingMs: 10_000,
  lookAtIdleMs: 15_000,
};
