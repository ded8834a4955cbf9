import { rmSync, writeFileSync } from 'node:fs';

import { inCheckout } from '../../src/checkout.ts';
import { launchChromium } from '../../src/chromium.ts';
import type { Bench } from '../bench.ts';
import { measureFeedback, type Person, type Press } from '../console/feedback.ts';
import { visit, type FirstPaint, type Visit } from '../console/first-paint.ts';
import { median, type Report, round, type Row } from '../report.ts';
import { type Stack, startStack } from '../stack.ts';

const VISITS = 15;
const ROUNDS = 5;
/** As it is, and like a phone's. */
const SLOWNESSES = [1, 4] as const;
const RATIO_GOAL = 3;
const FEEDBACK_GOAL_MS = 100;

const EMPTY = 'empty.html';
const EMPTY_PAGE =
  '<!doctype html><html lang="en"><title>Empty</title><body><p>Empty</p></body></html>\n';
const SIGN_IN = 'input[autocomplete=username]';

/** How soon the console shows itself in a browser that does not know it, and how soon it answers whoever presses something. */
export async function consolePage(bench: Bench): Promise<Report> {
  const stack = await startWithEmptyPage(bench);
  // Who counts an audience waits for it.
  await stack.startDispatcher();
  const browser = await launchChromium(bench.getChromium());
  bench.onEnd(() => browser.close());
  const api = `http://127.0.0.1:${stack.apiPort}`;
  const { person, campaignId } = await furnish(stack);

  const paints: Paints[] = [];
  const feedback: Feedback[] = [];
  for (const slowness of SLOWNESSES) {
    const open = (visited: Pick<Visit, 'url' | 'until'>) =>
      visit(browser, { ...visited, slowness });
    const empty = () => open({ url: `${api}/console/${EMPTY}` });
    const page = () => open({ url: `${api}/console/`, until: SIGN_IN });
    await empty();
    await page();
    const ofEmpty: FirstPaint[] = [];
    const ofPage: FirstPaint[] = [];
    for (let turn = 0; turn < VISITS; turn += 1) {
      ofEmpty.push(await empty());
      ofPage.push(await page());
    }
    paints.push(toPaints(slowness, ofEmpty, ofPage));

    const rounds: ReadonlyMap<string, number>[] = [];
    for (let turn = 0; turn < ROUNDS; turn += 1)
      rounds.push(
        await measureFeedback(browser, `${api}/console`, person, toPresses(campaignId), slowness),
      );
    feedback.push(toFeedback(slowness, rounds));
  }
  return toReport(paints, feedback);
}

/** The api reads its page's files when it starts: an empty one lies among them then. */
async function startWithEmptyPage(bench: Bench): Promise<Stack> {
  const file = inCheckout(`services/console/dist/${EMPTY}`);
  writeFileSync(file, EMPTY_PAGE);
  try {
    return await startStack(bench, 0);
  } finally {
    rmSync(file);
  }
}

/** Somebody who may do everything, and a campaign. */
async function furnish({ client, appId }: Stack) {
  const person: Person = { name: 'bench', password: 'a password for the bench' };
  await client.call('/admin/user/create', { ...person, role: 'admin' });
  const { id } = await client.call<{ readonly id: number }>('/push/campaign/create', {
    appId,
    message: { title: 'Hello', body: 'To everybody.' },
  });
  return { person, campaignId: id };
}

function toPresses(campaignId: number): readonly Press[] {
  const tab = (name: string) => `[role=tab]:has-text("${name}")`;
  return [
    { name: 'a page of the menu', at: '/', selector: 'nav a[href$="/keys"]' },
    {
      name: 'open a campaign',
      at: '/campaigns',
      selector: `main a[href$="/campaigns/${campaignId}"]`,
    },
    { name: 'another tab', at: `/campaigns/${campaignId}`, selector: tab('Audience') },
    {
      name: 'count the audience',
      at: `/campaigns/${campaignId}?tab=send`,
      selector: 'button:has-text("Count the audience")',
    },
    {
      name: 'search',
      at: '/deliveries',
      fill: { selector: 'main input[required]', text: 'somebody' },
      selector: 'form[role=search] button[type=submit]',
    },
    { name: 'open a dialog', at: '/keys', selector: 'button[aria-haspopup=dialog]' },
  ];
}

interface Paints {
  readonly slowness: number;
  readonly emptyMs: number;
  readonly pageMs: number;
  readonly readyMs: number;
  readonly ratio: number;
}

function toPaints(
  slowness: number,
  ofEmpty: readonly FirstPaint[],
  ofPage: readonly FirstPaint[],
): Paints {
  const emptyMs = median(ofEmpty.map(({ paintMs }) => paintMs));
  const pageMs = median(ofPage.map(({ paintMs }) => paintMs));
  return {
    slowness,
    emptyMs: round(emptyMs),
    pageMs: round(pageMs),
    readyMs: round(median(ofPage.map(({ readyMs }) => readyMs ?? Number.NaN))),
    ratio: round(pageMs / emptyMs, 2),
  };
}

interface Feedback {
  readonly slowness: number;
  /** Medians by what was pressed. */
  readonly ms: Readonly<Record<string, number>>;
}

function toFeedback(slowness: number, rounds: readonly ReadonlyMap<string, number>[]): Feedback {
  const names = [...(rounds[0]?.keys() ?? [])];
  const entries = names.map((name) => {
    const times = rounds.map((one) => one.get(name) ?? Number.NaN);
    return [name, round(median(times))] as const;
  });
  return { slowness, ms: Object.fromEntries(entries) };
}

function toReport(paints: readonly Paints[], feedback: readonly Feedback[]): Report {
  return {
    figures: { paints, feedback },
    rows: [...paints.flatMap(toPaintRows), ...feedback.flatMap(toFeedbackRows)],
    notes: [],
  };
}

function toPaintRows({ slowness, emptyMs, pageMs, readyMs, ratio }: Paints): readonly Row[] {
  return [
    { name: `first paint${toSuffix(slowness)}`, value: `${pageMs} ms, empty page ${emptyMs} ms` },
    {
      name: '  ratio',
      value: `${ratio}`,
      goal: { text: `≤ ${RATIO_GOAL}`, met: ratio <= RATIO_GOAL },
    },
    { name: '  sign-in form there', value: `${readyMs} ms` },
  ];
}

function toFeedbackRows({ slowness, ms }: Feedback): readonly Row[] {
  return Object.entries(ms).map(([name, time]) => ({
    name: `${name}${toSuffix(slowness)}`,
    value: `${time} ms`,
    goal: { text: `≤ ${FEEDBACK_GOAL_MS} ms`, met: time <= FEEDBACK_GOAL_MS },
  }));
}

function toSuffix(slowness: number): string {
  return slowness === 1 ? '' : `, CPU/${slowness}`;
}
