import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import type { Role } from '@heliograph/core';
import type { SpawnedService } from '@heliograph/testing';
import { launchChromium, signIn } from '@heliograph/testing/chromium';
import type { BrowserContext, Page } from 'playwright-core';

import { openStack, type Stack } from '../../dispatcher/test/stack.ts';

const ROOT = path.join(__dirname, '../../..');
/** As long as anything may take on a machine that does much else. */
const PATIENCE_MS = 30_000;

export const VIEWPORTS = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

export interface PageOptions {
  readonly viewport?: keyof typeof VIEWPORTS;
  readonly look?: 'light' | 'dark';
  readonly language?: 'en' | 'de';
}

/** The built console in a real browser, on real services that send to the fake providers. */
export interface ConsoleRig {
  readonly stack: Stack;
  readonly api: SpawnedService;
  /** A key of the api for everything. */
  readonly key: string;
  /** Asks the api with that key, answers what it answered, and rejects where that is no success. */
  ask(
    method: 'GET' | 'POST',
    path: string,
    requestObject?: object,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Sends a message over the api. */
  send(userId: string, appId?: string): Promise<void>;
  makeUser(role: Role): Promise<{ readonly name: string; readonly password: string }>;
  /** A page in a browser of its own. What it complains about, such as its policy, is in `complaints`. */
  open(options?: PageOptions): Promise<OpenedPage>;
  /** The same, where a user of that role is signed in and looks at that path. */
  openAs(role: Role, at: string, options?: PageOptions): Promise<OpenedPage>;
  close(): Promise<void>;
}

export interface OpenedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

export interface RigOptions {
  /** Without one nothing is sent, and what was made stays as it is. */
  readonly hasDispatcher?: boolean;
  /** Of all services. */
  readonly settings?: Readonly<Record<string, string>>;
  /** More settings of the api. */
  readonly apiEnv?: Readonly<Record<string, string>>;
}

export async function openConsoleRig(
  program: string,
  { hasDispatcher = true, settings = {}, apiEnv = {} }: RigOptions = {},
): Promise<ConsoleRig> {
  await build();
  const stack = await openStack({}, settings);
  await stack.makeSendingApp();
  const api = await stack.startApi({ ...apiEnv, AUTH: 'on' });
  if (hasDispatcher) await stack.startDispatcher();
  const { said } = await stack.runCli(['keys', 'create', '--name', 'test', '--scopes', 'admin']);
  const key = /hg_[\w-]+/.exec(said)?.[0] ?? '';
  const browser = await launchChromium(program);
  const contexts: BrowserContext[] = [];

  const ask: ConsoleRig['ask'] = async (method, at, requestObject) => {
    const answer = await fetch(api.url + at, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(requestObject === undefined ? {} : { body: JSON.stringify({ requestObject }) }),
    });
    if (!answer.ok) throw new Error(`${at}: ${await answer.text()}`);
    const { responseObject = {} } = (await answer.json()) as {
      responseObject?: Record<string, unknown>;
    };
    return responseObject;
  };

  async function makeUser(role: Role) {
    const name = `${role}-${randomUUID().slice(0, 8)}`;
    const password = randomBytes(12).toString('hex');
    await ask('POST', '/admin/user/create', { name, password, role });
    return { name, password };
  }

  async function open({ viewport = 'desktop', look = 'light', language = 'en' }: PageOptions = {}) {
    const context = await browser.newContext({
      viewport: VIEWPORTS[viewport],
      colorScheme: look,
      locale: language,
      // What fades in is hard to read until it is there.
      reducedMotion: 'reduce',
    });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      // That nobody is signed in yet, or that something was refused, are answers like any other, which browsers note.
      if (message.type() === 'error' && !/status of 40[01]/.test(message.text()))
        complaints.push(message.text());
    });
    return { page, complaints };
  }

  return {
    stack,
    api,
    key,
    ask,
    async send(userId, appId = '1') {
      const message = { userId, body: { title: 'Hi' } };
      await ask('POST', '/push/message/send', { appId, message });
    },
    makeUser,
    open,
    async openAs(role, at, options) {
      const user = await makeUser(role);
      const opened = await open(options);
      await opened.page.goto(`${api.url}/console${at}`);
      await signIn(opened.page, user);
      return opened;
    },
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await stack.close();
    },
  };
}

/** The api serves what was built last. */
async function build(): Promise<void> {
  const vite = path.join(ROOT, 'node_modules/vite/bin/vite.js');
  const folder = path.join(ROOT, 'services/console');
  await promisify(execFile)(process.execPath, [vite, 'build', folder, '--logLevel', 'warn'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
  });
  if (!existsSync(path.join(folder, 'dist/index.html'))) throw new Error('vite built nothing');
}
