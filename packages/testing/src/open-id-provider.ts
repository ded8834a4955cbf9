import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

import { inCheckout } from './checkout.ts';

/** A provider of OpenID Connect that asks nobody for a password, in a process of its own. */
export interface OpenIdProviderServer {
  /** At `localhost`: to a browser another site than services at 127.0.0.1. */
  readonly issuer: string;
  /** From now on. Unless it was told, somebody has no claims but the subject. */
  setClaims(subject: string, claims: Readonly<Record<string, unknown>>): Promise<void>;
  /** Tells keys that signed nothing, or answers nobody; back to normal without. */
  misbehave(how?: { readonly otherKeys?: boolean; readonly silent?: boolean }): Promise<void>;
  /** Does what the browser of that person does there, and answers where it is sent back to. Nobody, who goes back, without a subject. */
  visit(url: string, subject?: string): Promise<URL>;
  close(): Promise<void>;
}

export interface OpenIdClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly redirect_uris: readonly string[];
  readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post' | 'none';
}

export async function startOpenIdProvider(
  clients: readonly OpenIdClient[],
): Promise<OpenIdProviderServer> {
  const child = spawn(process.execPath, [inCheckout('packages/testing/open-id/provider.mjs')], {
    env: { PATH: process.env['PATH'], OPEN_ID_OPTIONS: JSON.stringify({ clients }) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const issuer = await waitForIssuer(child);
  const put = async (path: string, body: object) => {
    const answer = await fetch(issuer + path, { method: 'PUT', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the provider answers ${answer.status}`);
  };
  return {
    issuer,
    setClaims: (subject, claims) => put(`/people/${encodeURIComponent(subject)}`, claims),
    misbehave: (how = {}) => put('/control', how),
    visit: (url, subject = '') => visit(issuer, url, subject),
    async close() {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function waitForIssuer(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const [facts] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`the provider ended:\n${said}`);
    }),
  ])) as [{ readonly issuer: string }];
  // A test that fails before its `close` is not to keep Jest from ending, which ends the provider as well.
  child.unref();
  child.channel?.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
  return facts.issuer;
}

/** Follows redirects with the cookies of the provider, until they lead away from it. */
async function visit(issuer: string, from: string, subject: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(from);
  for (let n = 0; n < 10 && url.origin === issuer; n += 1) {
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location !== null) url = new URL(location, url);
    else if (answer.ok && url.search === '') url.searchParams.set('subject', subject);
    else throw new Error(`the provider answers ${answer.status}: ${await answer.text()}`);
  }
  return url;
}
