// `npm run scale`: prints what docs/scale.md says, from docs/scale/figures.json. `--write` puts it there, `--measure` runs the bench for new
// figures first; scenarios that are named beside it are measured anew, and the figures of the others stay.

import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { ROOT } from './folders.mjs';
import { run } from './run.mjs';
import { workOut } from './scale-model.mjs';
import { toBlocks } from './scale-tables.mjs';

const PAGE = path.join(ROOT, 'docs/scale.md');
const FIGURES = path.join(ROOT, 'docs/scale/figures.json');
/** Long enough that a new process is warm for most of it. */
const BENCH_OPTIONS = ['--seconds', '10', '--devices', '300000', '--json'];
const SCENARIOS = ['accept', 'messages', 'campaign', 'storage'];

const { values: options, positionals: scenarios } = parseArgs({
  allowPositionals: true,
  options: { measure: { type: 'boolean' }, write: { type: 'boolean' } },
});
if (options.measure) await write(FIGURES, JSON.stringify(await measure()));
const figures = JSON.parse(readFileSync(FIGURES, 'utf8'));
const facts = readFacts();
const blocks = toBlocks(figures, facts, workOut(figures, facts));
if (options.measure || options.write) await write(PAGE, fillIn(readFileSync(PAGE, 'utf8')));
else
  for (const [name, lines] of Object.entries(blocks))
    console.log([`<!-- scale: ${name} -->`, '', ...lines, ''].join('\n'));

async function measure() {
  const names = scenarios.length > 0 ? scenarios : SCENARIOS;
  const command = ['run', '--silent', 'bench', '--', ...names, ...BENCH_OPTIONS];
  const output = await run('npm', command, { cwd: ROOT });
  const kept = scenarios.length > 0 ? JSON.parse(readFileSync(FIGURES, 'utf8')).bench : {};
  const bench = { ...kept, ...JSON.parse(output.trim().split('\n').at(-1)) };
  const { accept, messages, campaign, storage } = bench;
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench --', ...SCENARIOS, ...BENCH_OPTIONS].join(' '),
    machine: {
      cpu: os.cpus()[0].model,
      cores: os.cpus().length,
      memoryGb: Math.round(os.totalmem() / 1e9),
      node: process.versions.node,
      postgres: storage.postgres,
      others: Math.max(...[accept, messages, campaign].map(({ cores }) => cores.others)),
    },
    bench,
  };
}

/** Defaults and bounds, from where they stand in the code. */
function readFacts() {
  const partitions = 'packages/db/src/partitions.ts';
  const lane = 'packages/queue/src/lane.ts';
  return {
    poolSize: findNumber('services/dispatcher/src/config.ts', /'DATABASE_POOL_SIZE', (\d+)/),
    fcmPerSecond: findNumber(
      'services/dispatcher/src/pacing/pacers.ts',
      /FCM_PACE: Pace = \{ ceiling: ([\d_]+)/,
    ),
    apnsSessions: findNumber(
      'packages/providers/src/apns/engine-client.ts',
      /MAX_SESSIONS = (\d+)/,
    ),
    fcmSessions: findNumber('packages/providers/src/fcm/client.ts', /MAX_SESSIONS = (\d+)/),
    jobs:
      findNumber(lane, /MAX_WAITING_JOBS = (\d+)/) + findNumber(lane, /MAX_DELAYED_JOBS = (\d+)/),
    deliveriesPerJob: findNumber(lane, /MAX_DELIVERIES_PER_JOB = (\d+)/),
    daysAhead: findNumber(partitions, /DAYS_AHEAD = (\d+)/),
    partitioned: find(partitions, /PARTITIONED = \[([^\]]+)\]/).match(/'/g).length / 2,
    messagesDays: findRetention('messages'),
    campaignsDays: findRetention('campaignDevices'),
    inboxDays: findRetention('inbox'),
    auditDays: findRetention('audit'),
  };
}

/** What the expression's first group finds in a file. */
function find(file, pattern) {
  const found = pattern.exec(readFileSync(path.join(ROOT, file), 'utf8'));
  if (found === null) throw new Error(`${file} has no ${pattern}`);
  return found[1];
}

function findNumber(file, pattern) {
  return Number(find(file, pattern).replaceAll('_', ''));
}

function findRetention(kind) {
  return findNumber(
    'services/dispatcher/src/retention/kinds.ts',
    new RegExp(`  ${kind}: ([\\d_]+)`),
  );
}

/** The page with each block between its two marks. */
function fillIn(page) {
  return Object.entries(blocks).reduce((text, [name, lines]) => {
    const block = new RegExp(`(<!-- scale: ${name} -->\n)[^]*?(\n<!-- /scale -->)`);
    if (!block.test(text)) throw new Error(`docs/scale.md has no place for ${name}`);
    return text.replace(block, (_all, begin, end) => `${begin}\n${lines.join('\n')}\n${end}`);
  }, page);
}

async function write(file, text) {
  const prettier = await import('prettier');
  const config = await prettier.resolveConfig(file);
  writeFileSync(file, await prettier.format(text, { ...config, filepath: file }));
}
