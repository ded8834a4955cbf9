import type { Credential } from '@heliograph/providers';
import type { Pace } from '@heliograph/queue';

import { paceByBoth, type Pacer } from './pacer.ts';
import { StashPacer, type StashPacerDeps } from './stash-pacer.ts';

export interface Pacers {
  /** How what is sent with the credential is paced; undefined: not at all. Ask anew for each chunk or message. */
  of(credential: Credential): Pacer | undefined;
  /** Gives back what is left, once nobody sends any more. */
  close(): Promise<void>;
}

/**
 * Google allows a project 600,000 messages a minute, wants them to rise from 0 over a minute at least, and counts refusals too, except
 * 429. 90 % of that. The base is what nobody would notice at Google, and more than a handful of messages needs.
 */
export const FCM_PACE: Pace = { ceiling: 9_000, base: 150 };

/** More than a proxy takes over its few connections: there only so that one that asks for a pause (429) gets it from the whole fleet. */
const PROXY_PACE: Pace = { ceiling: 10_000, base: 10_000 };

/** A pacer that nobody asked for in so long is forgotten when another one is made. */
const FORGOTTEN_AFTER_MS = 60_000;

interface Known {
  readonly pacer: Pacer;
  /** Undefined where it is made of others. */
  readonly stash: StashPacer | undefined;
  askedAtMs: number;
}

/** A pacer per Firebase project, since its quota is the project's, and one per credential that has a rate of its own. */
export function createPacers(deps: StashPacerDeps & { readonly fcmPace?: Pace }): Pacers {
  const { clockMs, fcmPace = FCM_PACE } = deps;
  const known = new Map<string, Known>();

  function find(key: string, make: () => Omit<Known, 'askedAtMs'>): Pacer {
    const now = clockMs();
    const kept = known.get(key);
    if (kept !== undefined) {
      kept.askedAtMs = now;
      return kept.pacer;
    }
    // Who holds a forgotten one still may go on with it: the bucket is the fleet's anyway, and its stash goes back by itself.
    for (const [other, { askedAtMs }] of known)
      if (now - askedAtMs > FORGOTTEN_AFTER_MS) known.delete(other);
    const made = { ...make(), askedAtMs: now };
    known.set(key, made);
    return made.pacer;
  }

  function findStash(name: string, pace: Pace): Pacer {
    return find(`${name} ${pace.ceiling}`, () => {
      const stash = new StashPacer(deps, name, pace);
      return { pacer: stash, stash };
    });
  }

  function findOwn({ id, ratePerSecond }: Credential): Pacer | undefined {
    if (ratePerSecond === undefined) return undefined;
    // An operator's limit is kept from the first push on, and needs no slow start.
    return findStash(`credential:${id}`, { ceiling: ratePerSecond, base: ratePerSecond });
  }

  return {
    of(credential) {
      const own = findOwn(credential);
      if (credential.route === 'proxy')
        return own ?? findStash(`proxy:${credential.id}`, PROXY_PACE);
      if (credential.provider === 'apns') return own;
      const project = findStash(`fcm:${credential.projectId}`, fcmPace);
      if (own === undefined) return project;
      return find(
        `both:${credential.projectId} ${credential.id} ${credential.ratePerSecond}`,
        () => ({
          pacer: paceByBoth(project, own),
          stash: undefined,
        }),
      );
    },
    async close() {
      await Promise.all([...known.values()].flatMap(({ stash }) => stash?.close() ?? []));
    },
  };
}
