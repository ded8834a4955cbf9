import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Longer than a process takes to say that it does not reach something. */
const SCRAPE_EVERY = '2500ms';
const EVALUATE_EVERY = '500ms';
/** Some scrapes. */
const WINDOW = '15s';

/** A real Prometheus, with our rules in a hurry: what they wait for is left out, and what they look back on is seconds. */
export interface Prometheus {
  /** From now on these are collected, and no others. */
  watch(metricsUrls: readonly string[]): Promise<void>;
  /** Whether it has collected what an api tells, and what a dispatcher tells of the fleet. */
  isMeasured(): Promise<boolean>;
  /** Names of the alerts that fire now. */
  firing(): Promise<string[]>;
  /** Names of those that fired at any time since it began. */
  fired(): Promise<string[]>;
  close(): Promise<void>;
}

/** `promtool` is of the same package. */
export async function startPrometheus(promtool: string, rules: string): Promise<Prometheus> {
  const folder = await mkdtemp(path.join(tmpdir(), 'heliograph-prometheus-'));
  const targets = path.join(folder, 'targets.json');
  await writeFile(targets, '[]');
  await writeFile(path.join(folder, 'alerts.yml'), hurry(await readFile(rules, 'utf8')));
  await writeFile(path.join(folder, 'prometheus.yml'), toConfig(targets));
  const child = spawn(
    findServer(promtool),
    [
      `--config.file=${path.join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const [, found] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void exited.then(() => reject(new Error(`Prometheus ended:\n${said.join('\n')}`)));
  });

  async function query(expression: string): Promise<readonly { alertname?: string }[]> {
    const url = `http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as {
      data?: { result: { metric: { alertname?: string } }[] };
      error?: string;
    };
    if (answer.data === undefined) throw new Error(answer.error);
    return answer.data.result.map(({ metric }) => metric);
  }

  async function listAlerts(expression: string): Promise<string[]> {
    return (await query(expression)).flatMap(({ alertname }) => alertname ?? []).toSorted();
  }

  return {
    async watch(metricsUrls) {
      const hosts = metricsUrls.map((url) => new URL(url).host);
      await writeFile(targets, JSON.stringify([{ targets: hosts }]));
    },
    async isMeasured() {
      const both = 'heliograph_inbox_streams and on () heliograph_ledger_imbalance';
      return (await query(both)).length > 0;
    },
    firing: () => listAlerts('group by (alertname) (ALERTS{alertstate="firing"})'),
    fired: () =>
      listAlerts('group by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1h]))'),
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** Beside promtool, in our cache or wherever the package is installed. */
function findServer(promtool: string): string {
  const folder = path.dirname(promtool);
  const cached = path.join(folder, 'root/usr/bin/prometheus');
  return existsSync(cached) ? cached : path.join(folder, 'prometheus');
}

/** How much must happen stays as it is. */
function hurry(rules: string): string {
  return rules.replaceAll(/^( +for:) .*$/gm, '$1 0s').replaceAll(/\[\d+m\]/g, `[${WINDOW}]`);
}

function toConfig(targets: string): string {
  return JSON.stringify({
    global: {
      scrape_interval: SCRAPE_EVERY,
      scrape_timeout: SCRAPE_EVERY,
      evaluation_interval: EVALUATE_EVERY,
    },
    rule_files: ['alerts.yml'],
    scrape_configs: [{ job_name: 'heliograph', file_sd_configs: [{ files: [targets] }] }],
  });
}
