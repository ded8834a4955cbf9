import type { Answer, PushTarget, SandboxProvider } from './answer.ts';

/** Whom a script is for. What is absent matches everything; an empty target is a mode of the whole provider. */
export interface ScriptTarget {
  /** A whole push token or its beginning; at the token endpoint, of the service account's e-mail address. */
  readonly token?: string;
  readonly environment?: string;
  readonly apnsTopic?: string;
  readonly projectId?: string;
}

interface Script {
  readonly provider: SandboxProvider;
  readonly target: ScriptTarget;
  readonly answers: { readonly answer: Answer; left: number }[];
}

/**
 * The answers that tests have put down for pushes to come. The script with the longest token wins, among equals the
 * newest; one that has given all its answers is gone. A second script for the same target is appended to the first.
 */
export class ScriptBook {
  #scripts: Script[] = [];

  add(provider: SandboxProvider, target: ScriptTarget, answers: readonly Answer[]): void {
    const steps = answers.map((answer) => ({ answer, left: timesOf(answer) }));
    const same = this.#scripts.find(
      (script) => script.provider === provider && isSameTarget(script.target, target),
    );
    if (same) same.answers.push(...steps);
    else this.#scripts.unshift({ provider, target, answers: steps });
  }

  /** Takes the next answer for a push; undefined if nobody scripted one. */
  take(push: PushTarget): Answer | undefined {
    const best = this.#findBest(push);
    return best && this.#next(best);
  }

  /** Takes the next answer for a request whose body nobody has read yet, where it is one that does not wait for it. */
  takeUnread(provider: SandboxProvider): Answer | undefined {
    const best = this.#findBest({ provider, token: '' });
    return best?.answers[0]?.answer.kind === 'reset-unread' ? this.#next(best) : undefined;
  }

  clear(): void {
    this.#scripts = [];
  }

  #findBest(push: PushTarget): Script | undefined {
    let best: Script | undefined;
    for (const script of this.#scripts) {
      if (!matches(script, push)) continue;
      if (!best || tokenLength(script) > tokenLength(best)) best = script;
    }
    return best;
  }

  #next(script: Script): Answer | undefined {
    const step = script.answers[0];
    if (!step) return undefined;
    step.left -= 1;
    if (step.left <= 0) script.answers.shift();
    if (script.answers.length === 0) this.#scripts = this.#scripts.filter((s) => s !== script);
    return step.answer;
  }
}

function timesOf({ times = 1 }: Answer): number {
  return times === 'always' ? Number.POSITIVE_INFINITY : Math.max(1, times);
}

function isSameTarget(a: ScriptTarget, b: ScriptTarget): boolean {
  return (
    (a.token ?? '') === (b.token ?? '') &&
    a.environment === b.environment &&
    a.apnsTopic === b.apnsTopic &&
    a.projectId === b.projectId
  );
}

function matches({ provider, target }: Script, push: PushTarget): boolean {
  return (
    provider === push.provider &&
    push.token.startsWith(target.token ?? '') &&
    (target.environment ?? push.environment) === push.environment &&
    (target.apnsTopic ?? push.apnsTopic) === push.apnsTopic &&
    (target.projectId ?? push.projectId) === push.projectId
  );
}

function tokenLength({ target }: Script): number {
  return target.token?.length ?? 0;
}
