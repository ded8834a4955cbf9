import path from 'node:path';

import type { Bench, Scenario } from './bench.ts';
import { type Options, parseOptions } from './options.ts';
import { Processes } from './processes.ts';
import { formatReport, type Report } from './report.ts';
import { accept } from './scenarios/accept.ts';
import { audience } from './scenarios/audience.ts';
import { campaign } from './scenarios/campaign.ts';
import { consolePage } from './scenarios/console.ts';
import { isolation } from './scenarios/isolation.ts';
import { latency } from './scenarios/latency.ts';
import { messages } from './scenarios/messages.ts';
import { overload } from './scenarios/overload.ts';
import { proxy } from './scenarios/proxy.ts';
import { retention } from './scenarios/retention.ts';
import { signature } from './scenarios/signature.ts';
import { soak } from './scenarios/soak.ts';
import { storage } from './scenarios/storage.ts';
import { transport } from './scenarios/transport.ts';

/** In the order in which they run when none is named. */
const SCENARIOS = new Map<string, Scenario>([
  ['transport', transport],
  ['proxy', proxy],
  ['soak', soak],
  ['signature', signature],
  ['accept', accept],
  ['overload', overload],
  ['messages', messages],
  ['latency', latency],
  ['isolation', isolation],
  ['campaign', campaign],
  ['audience', audience],
  ['retention', retention],
  ['storage', storage],
  ['console', consolePage],
]);

process.exit(await main());

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2), [...SCENARIOS.keys()]);
    const reports: Record<string, Report['figures']> = {};
    const interrupted = onInterrupt();
    for (const name of options.scenarios) {
      const report = await runScenario(name, options, interrupted);
      console.log(formatReport(name, report));
      reports[name] = report.figures;
    }
    if (options.json) console.log(JSON.stringify(reports));
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Runs one scenario; whatever it started is gone afterwards. */
async function runScenario(
  name: string,
  { seconds, devices, users, pushes, deliveries, profileFolder }: Options,
  interrupted: Promise<never>,
): Promise<Report> {
  const scenario = SCENARIOS.get(name);
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);
  const releases: (() => unknown)[] = [];
  const processes = new Processes(
    profileFolder === undefined ? undefined : path.join(profileFolder, `${name}-`),
  );
  const bench: Bench = {
    databaseUrl: fromLauncher('BENCH_DATABASE_URL'),
    redisUrl: fromLauncher('BENCH_REDIS_URL'),
    getNginx: () => getProgram('BENCH_NGINX'),
    getChromium: () => getProgram('BENCH_CHROMIUM'),
    processes,
    seconds,
    devices,
    users,
    pushes,
    deliveries,
    onEnd: (release) => releases.push(release),
  };
  let isDone = false;
  try {
    const report = await Promise.race([scenario(bench), processes.failure, interrupted]);
    isDone = true;
    return report;
  } finally {
    // Whoever presses Ctrl-C does not want to wait for a backlog to be drained.
    await processes.endAll(isDone ? 'SIGTERM' : 'SIGKILL');
    for (const release of releases.toReversed()) await tryRelease(release, isDone);
  }
}

/** After Ctrl-C the servers may be gone already, and with them what was to be released. */
async function tryRelease(release: () => unknown, isExpected: boolean): Promise<void> {
  try {
    await release();
  } catch (error) {
    if (isExpected) console.error(error instanceof Error ? error.message : error);
  }
}

function fromLauncher(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; start the bench by npm run bench.`);
  return value;
}

function getProgram(name: string): string {
  const reason = process.env[`${name}_REASON`];
  if (reason !== undefined) throw new Error(reason);
  return fromLauncher(name);
}

function onInterrupt(): Promise<never> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => reject(new Error(`Stopped by ${signal}.`)));
  });
  interrupted.catch(() => undefined);
  return interrupted;
}
