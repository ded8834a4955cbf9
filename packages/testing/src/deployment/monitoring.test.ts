import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { inCheckout } from '../checkout.ts';
import { describeWithForeign } from '../foreign.ts';
import { readMetricsTable } from '../metrics-table.ts';

const read = (file: string) => readFileSync(inCheckout(file), 'utf8');

const RULES = read('infra/prometheus/alerts.yml');
const RULE_TESTS = read('infra/prometheus/alerts.test.yml');
/** An alert's part of the file, by its name. */
const ALERTS = new Map(
  RULES.split(/^ +- alert: /m)
    .slice(1)
    .map((part) => [part.split('\n')[0] ?? '', part]),
);
const DASHBOARDS = readdirSync(inCheckout('infra/grafana/dashboards')).map(
  (file): [string, Dashboard] => [file, JSON.parse(read(`infra/grafana/dashboards/${file}`))],
);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly {
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly definition?: string;
    }[];
  };
}

const DOCUMENTED = new Map(readMetricsTable().map((metric) => [metric.name, metric]));
/** What a scrape adds. */
const SCRAPE_LABELS = ['instance', 'job', 'le'];

/** The metrics that an expression names, with the labels that it looks at or groups by. */
function listNamed(expression: string): { readonly name: string; readonly labels: string[] }[] {
  return Array.from(
    expression.matchAll(/\b(heliograph_[a-z0-9_]+)(?:\{([^}]*)\})?/g),
    ([, name = '', matchers = '']) => ({
      name: DOCUMENTED.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, ''),
      labels: Array.from(matchers.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g), ([, label = '']) => label),
    }),
  );
}

function listGrouped(expression: string): string[] {
  return Array.from(expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g), ([, labels = '']) =>
    labels.split(',').map((label) => label.trim()),
  ).flat();
}

function listExpressions(dashboard: Dashboard): string[] {
  return dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

/** As GitHub makes one of a heading. */
function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

const EXPRESSIONS: [string, string][] = [
  ...[...ALERTS].map(([name, part]): [string, string] => [
    `the alert ${name}`,
    part.slice(part.indexOf('expr:'), part.indexOf('annotations:')),
  ]),
  ...DASHBOARDS.flatMap(([file, dashboard]) =>
    listExpressions(dashboard).map((one): [string, string] => [file, one]),
  ),
];

describe('alerts and dashboards', () => {
  test('are there, and look at something', () => {
    expect(ALERTS.size).toBeGreaterThan(10);
    expect(DASHBOARDS.map(([file]) => file)).toEqual([
      'api.json',
      'campaigns.json',
      'overview.json',
      'providers.json',
    ]);
    expect(EXPRESSIONS.filter(([, one]) => listNamed(one).length === 0)).toEqual([]);
  });

  test.each(EXPRESSIONS)('%s looks at metrics that docs/metrics.md lists: %s', (_, expression) => {
    const named = listNamed(expression);
    const known = named.flatMap(({ name }) => DOCUMENTED.get(name)?.labels ?? []);

    expect(named.filter(({ name }) => !DOCUMENTED.has(name))).toEqual([]);
    for (const { name, labels } of named)
      expect([...(DOCUMENTED.get(name)?.labels ?? []), ...SCRAPE_LABELS]).toEqual(
        expect.arrayContaining(labels),
      );
    expect([...known, ...SCRAPE_LABELS]).toEqual(expect.arrayContaining(listGrouped(expression)));
  });

  test('look at everything that is measured of the fleet, and of what it sends', () => {
    const named = new Set(EXPRESSIONS.flatMap(([, one]) => listNamed(one).map(({ name }) => name)));
    const measured = ['The fleet', 'A dispatcher', 'An api'].flatMap((heading) =>
      readMetricsTable(heading).map(({ name }) => name),
    );

    expect(measured.filter((name) => !named.has(name))).toEqual([]);
  });
});

describe.each([...ALERTS])('the alert %s', (name, part) => {
  test('says what is wrong, how bad it is, and what to do', () => {
    const headings = Array.from(
      read('docs/operations.md').matchAll(/^#+ (.+)$/gm),
      ([, one = '']) => toAnchor(one),
    );
    const [, runbook = ''] = /^ +runbook: docs\/operations\.md#(\S+)$/m.exec(part) ?? [];

    expect(part).toMatch(/^ +severity: (?:page|ticket)$|severity: (?:page|ticket) \}/m);
    expect(part).toMatch(/^ +summary: \S/m);
    expect(part).toMatch(/^ +description: \S/m);
    expect(headings).toContain(runbook);
  });

  test('is shown as it fires, and as it does not', () => {
    const cases = RULE_TESTS.split(/^ +- name: /m);
    const fires = cases.find((one) => one.startsWith(`${name} fires\n`)) ?? '';
    const silent = cases.find((one) => one.startsWith(`${name} is silent\n`)) ?? '';

    expect(fires).toContain(`alertname: ${name}\n`);
    expect(fires).toContain('exp_annotations:');
    expect(silent).toContain(`alertname: ${name}, exp_alerts: []`);
    expect(silent).toContain('series:');
  });
});

describe.each(DASHBOARDS)('the dashboard %s', (file, { uid, title, panels, templating }) => {
  test('has a name of its own, under which it is found again', () => {
    expect(uid).toBe(`heliograph-${path.basename(file, '.json')}`);
    expect(title).toMatch(/^Heliograph: /);
  });

  test('asks the Prometheus that its reader chooses', () => {
    const { type } = templating.list.find(({ name }) => name === 'datasource') ?? {};
    const asked = panels.filter((panel) => panel.type !== 'row');

    expect(type).toBe('datasource');
    for (const { datasource, targets = [] } of asked) {
      expect(datasource?.uid).toBe('${datasource}');
      expect(targets.map((one) => one.datasource.uid)).toEqual(targets.map(() => '${datasource}'));
    }
    for (const { definition = '' } of templating.list.filter((one) => one.type === 'query'))
      expect([...DOCUMENTED.keys()]).toContain(listNamed(definition)[0]?.name);
  });

  test('shows something in each panel, and none over another', () => {
    const taken = new Set<string>();

    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title: heading, targets = [], gridPos } of panels) {
      expect([heading, targets.length > 0]).toEqual([heading, type !== 'row']);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(x).toBeLessThan(24);
          expect(taken).not.toContain(`${x} ${y}`);
          taken.add(`${x} ${y}`);
        }
    }
  });
});

describeWithForeign('promtool', 'Prometheus', (promtool) => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'heliograph-prometheus-'));
    cpSync(inCheckout('infra/prometheus'), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(promtool, args, { cwd: folder, encoding: 'utf8' });
    return { status, said: stdout + stderr };
  };
  /** The same file with something else in it. */
  const change = (file: string, from: string, to: string) => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(path.join(folder, `changed-${file}`), text.replace(from, to));
    return `changed-${file}`;
  };

  test('takes the configuration, and the rules that it names', () => {
    const config = change('prometheus.yml', '/etc/prometheus/alerts.yml', 'alerts.yml');

    expect(run('check', 'config', config)).toEqual({
      status: 0,
      said: expect.stringContaining(`${ALERTS.size} rules found`),
    });
  });

  test('evaluates each rule as its tests say', () => {
    expect(run('test', 'rules', 'alerts.test.yml')).toEqual({
      status: 0,
      said: expect.stringContaining('SUCCESS'),
    });
  });

  test('would tell of a rule that is wrong, and of one that fires too late', () => {
    expect(run('check', 'rules', change('alerts.yml', 'max(heli', 'maximum(heli')).status).not.toBe(
      0,
    );

    change('alerts.yml', 'for: 3m', 'for: 3h');
    const tests = change('alerts.test.yml', '[alerts.yml]', '[changed-alerts.yml]');
    expect(run('test', 'rules', tests)).toEqual({
      status: 1,
      said: expect.stringContaining('HeliographBacklogOld'),
    });
  });
});
