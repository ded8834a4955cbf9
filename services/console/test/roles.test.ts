import { ROLES, type Role } from '@heliograph/core';
import { describeWithForeign } from '@heliograph/testing';
import type { Page } from 'playwright-core';

import { en } from '../src/i18n/en.ts';
import { REQUESTS } from '../../api/test/access/requests.ts';
import { toNobody } from '../../api/test/access/world.ts';
import { makeActionWorld, type ActionWorld } from './action-world.ts';
import { ACTIONS, type Action } from './actions.ts';
import { openConsoleRig, type ConsoleRig } from './console-rig.ts';
import { listChanges, listFetchers, listOtherNames, OPERATIONS } from './list-calls.ts';

jest.setTimeout(300_000);

/* Every role × every action: what is offered in the browser, and what the api says to the same session. */

describe('the table of actions', () => {
  test('names everything that the console changes, at each place where it does', () => {
    const named = new Set(ACTIONS.flatMap(({ calls }) => calls));

    expect([...named].toSorted()).toEqual(listChanges());
  });

  test('could miss nothing: whatever else asks the api is about signing in', () => {
    const others = listFetchers().filter((name) => !name.startsWith('session/'));

    expect(others).toEqual(['api/api-provider.tsx']);
    expect(listOtherNames()).toEqual([]);
  });
});

describeWithForeign('chromium', 'each role', (program) => {
  let rig: ConsoleRig;
  let world: ActionWorld;
  beforeAll(async () => {
    rig = await openConsoleRig(program, { hasDispatcher: false });
    world = await makeActionWorld(rig);
  });
  afterAll(() => rig.close());

  test.each(ROLES)(
    '%s is offered what it may do and nothing else, and the api agrees',
    async (role) => {
      const { page } = await rig.openAs(role, '/');
      await page.getByRole('heading', { level: 1, name: en['nav.overview'] }).waitFor();
      const seen = new Map<string, Seen>();

      for (const [at, actions] of byPage(world)) {
        await page.goto(`${rig.api.url}/console${at}`);
        await settled(page);
        for (const action of actions)
          seen.set(action.name, {
            isOffered: await isOffered(page, action, world, isAllowed(role, action.from)),
            answers: await askAll(page, action),
          });
      }

      const expected = ACTIONS.map(({ name, from, calls }) => {
        const isFine = isAllowed(role, from);
        return [name, { isOffered: isFine, answers: calls.map(() => toAnswer(isFine)) }] as const;
      });
      expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
    },
  );
});

type ApiAnswer = 'forbidden' | 'let in';

interface Seen {
  readonly isOffered: boolean;
  /** Of each of its calls; the status where it is neither. */
  readonly answers: readonly (ApiAnswer | number)[];
}

function toAnswer(isFine: boolean): ApiAnswer {
  return isFine ? 'let in' : 'forbidden';
}

function isAllowed(role: Role, from: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(from);
}

/** Each page is opened once. */
function byPage(world: ActionWorld): ReadonlyMap<string, readonly Action[]> {
  const pages = new Map<string, readonly Action[]>();
  for (const action of ACTIONS) {
    const at = action.at(world);
    pages.set(at, [...(pages.get(at) ?? []), action]);
  }
  return pages;
}

/** Something is shown, and nothing is waited for. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('status', { name: en.waiting }).first().waitFor({ state: 'detached' });
}

/** Whether it can be pressed; it may take a moment to come where it should. */
async function isOffered(
  page: Page,
  { prepare, find }: Action,
  world: ActionWorld,
  isExpected: boolean,
): Promise<boolean> {
  await prepare?.(page);
  const control = find(page, world).first();
  if (isExpected) await control.waitFor();
  return (await control.count()) > 0 && (await control.isEnabled());
}

/** What the api answers to the page that asks for it. It is about what there is not: to be let in is enough. */
async function askAll(page: Page, { calls }: Action): Promise<Seen['answers']> {
  const answers: Seen['answers'][number][] = [];
  for (const call of calls) {
    const status = await ask(page, call.split(' ')[1] ?? '');
    if (status === 403) answers.push('forbidden');
    else answers.push(LET_IN.has(status) ? 'let in' : status);
  }
  return answers;
}

/** Done, not understood, not there, or not now. */
const LET_IN = new Set([200, 400, 404, 409]);

/** As the console's code does: by the cookie of the session, and with its token. */
function ask(page: Page, call: string): Promise<number> {
  const operation = OPERATIONS.get(call);
  if (operation === undefined) throw new Error(`The client has no ${call}.`);
  const { method, path, hasBody } = operation;
  const nobody = toNobody();
  const entry = REQUESTS[`${method} ${path}`];
  const input = entry?.input?.(nobody) ?? {};
  const query = hasBody ? '' : `?${new URLSearchParams(input as Record<string, string>)}`;
  const id = entry?.path?.(nobody) ?? String(nobody.campaignId);
  return page.evaluate(
    async ({ url, verb, body }) => {
      const session = (await (await fetch('/console/session')).json()) as {
        responseObject: { csrfToken: string };
      };
      const answer = await fetch(url, {
        method: verb,
        headers: {
          'content-type': 'application/json',
          'x-csrf-token': session.responseObject.csrfToken,
        },
        ...(body === undefined ? {} : { body }),
      });
      return answer.status;
    },
    {
      url: path.replace(':id', id) + query,
      verb: method.toUpperCase(),
      body: hasBody ? JSON.stringify({ requestObject: input }) : undefined,
    },
  );
}
