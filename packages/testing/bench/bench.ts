import type { Processes } from './processes.ts';
import type { Report } from './report.ts';

/** What a scenario gets to work with. */
export interface Bench {
  /** A superuser's URL to a PostgreSQL of this machine. */
  readonly databaseUrl: string;
  /** A Redis of this machine. */
  readonly redisUrl: string;
  /** The path of an nginx with what `startSink` needs; throws with the reason where there is none. */
  readonly getNginx: () => string;
  /** The path of a Chromium; throws with the reason where there is none. */
  readonly getChromium: () => string;
  readonly processes: Processes;
  /** How long a measured part takes, if the caller said so. */
  readonly seconds: number | undefined;
  /** How many devices a campaign is sent to, if the caller said so. */
  readonly devices: number | undefined;
  /** How many users are added to a campaign, if the caller said so. */
  readonly users: number | undefined;
  /** How many pushes are sent where that is what counts, if the caller said so. */
  readonly pushes: number | undefined;
  /** How many old deliveries are purged, if the caller said so. */
  readonly deliveries: number | undefined;
  /** Runs when the scenario is over, however it ended; the last one added runs first. */
  onEnd(release: () => unknown): void;
}

/** Measures, and throws where what was measured is not true: a message that is missing, an answer that is no success. */
export type Scenario = (bench: Bench) => Promise<Report>;
