import { createHash, createHmac } from 'node:crypto';
import { pathToFileURL } from 'node:url';

import { inCheckout } from '../../src/checkout.ts';
import { makeSamples, OTHER_SECRET, SECRET, type SignedSample } from './signed-samples.ts';

export interface CheckTask {
  /** `right` and `wrong`: our check, of signatures that are so. `bare`: one MD5 and one HMAC over the same bytes. */
  readonly kind: 'right' | 'wrong' | 'bare';
  readonly seconds: number;
}

export type CheckAnswer =
  | { readonly type: 'checked'; readonly microsPerCheck: number; readonly checks: number }
  | { readonly type: 'failed'; readonly reason: string };

type Check = (sample: SignedSample) => Promise<boolean>;

/** What we need of the built module of the api. */
interface AuthenticateModule {
  readonly authenticate: (deps: object, received: object) => Promise<unknown>;
}

const SAMPLES = 2000;
const BATCH = 500;

/** Checks signatures when told to, in a process of its own, and ends with its parent. */
process.on('message', (task: CheckTask) => {
  void run(task)
    .catch((error: unknown) => ({ type: 'failed', reason: String(error) }))
    .then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send?.({ type: 'ready' });

async function run({ kind, seconds }: CheckTask): Promise<CheckAnswer> {
  const now = new Date();
  const spoil = (signature: string) => signature.replace(/^./, (c) => (c === '0' ? '1' : '0'));
  const samples = makeSamples(SAMPLES, now, kind === 'wrong' ? spoil : undefined);
  const check = kind === 'bare' ? compute : await toCheck(now);
  const expected = kind !== 'wrong';

  await repeat(seconds / 4);
  const cpuBefore = process.cpuUsage();
  const checks = await repeat(seconds);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { type: 'checked', microsPerCheck: (user + system) / checks, checks };

  async function repeat(forSeconds: number): Promise<number> {
    const end = performance.now() + forSeconds * 1000;
    let done = 0;
    while (performance.now() < end)
      for (let n = 0; n < BATCH; n += 1, done += 1) {
        const sample = samples[done % SAMPLES];
        if (sample === undefined || (await check(sample)) !== expected)
          throw new Error(`a signature that was ${kind} was taken for the opposite`);
      }
    return done;
  }
}

/** The check as the api runs it for each request, with a key at hand, and a Redis that knows every nonce as new. */
async function toCheck(now: Date): Promise<Check> {
  const file = inCheckout('services/api/dist/surfaces/m800/authenticate.js');
  const { authenticate } = (await import(pathToFileURL(file).href)) as AuthenticateModule;
  const found = { key: { id: 1 }, secrets: [SECRET, OTHER_SECRET] };
  const deps = {
    signingKeys: { find: async () => found },
    nonces: { claim: async () => 'open' },
    m800DateWindowSeconds: 300,
    now: () => now,
  };
  return (sample) =>
    authenticate(deps, sample).then(
      () => true,
      () => false,
    );
}

async function compute({ body, stringToSign }: SignedSample): Promise<boolean> {
  const md5 = createHash('md5').update(body).digest('hex');
  const signature = createHmac('sha256', SECRET).update(stringToSign, 'utf8').digest('hex');
  return md5.length + signature.length === 96;
}
