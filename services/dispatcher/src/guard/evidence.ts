import type { Outcome, Requeue } from '@heliograph/core';
import {
  hashPushToken,
  noteAnswers,
  noteTokenFaults,
  type AnswerCount,
  type CredentialScope,
  type Db,
  type TokenFault,
} from '@heliograph/db';
import type { Logger } from 'pino';

import { askGuard } from './ask-guard.ts';
import { judgeEndpoint } from './judge-endpoint.ts';
import { toKey, type Pauses } from './pauses.ts';

/** What one answer says about its scope and its token. */
export interface Answer {
  readonly scope: CredentialScope;
  readonly outcome: Exclude<Outcome, Requeue>;
  /** HTTP status; undefined where nothing was answered, which says nothing about the scope. */
  readonly status: number | undefined;
  readonly deviceId: number;
  readonly pushToken: string;
  /** When the push was about to be sent, by the database's clock. */
  readonly claimedAt: Date;
}

/** Gathers what providers say about tokens and scopes, for the guard and for repeated refusals. */
export interface Evidence {
  add(answer: Answer): void;
  /** So many pushes of the scope were sent, and nothing else is to be said of them. */
  addSent(scope: CredentialScope, count: number): void;
  /** Writes what was gathered. */
  close(): Promise<void>;
}

interface Gathered {
  readonly scope: CredentialScope;
  answers: number;
  wrongPlace: number;
  dead: number;
  trouble: number;
  readonly faults: TokenFault[];
  /** A run of one refusal that pauses the app when it gets long. */
  pauseReason: string | undefined;
}

const MAX_SCOPES_REMEMBERED = 10_000;
/** Answers without a fault are written together, this often. */
const GATHER_MS = 1_000;

export function createEvidence(deps: {
  db: Db;
  pauses: Pauses;
  log: Logger;
  onError: (error: unknown) => void;
}): Evidence {
  let gathered = new Map<string, Gathered>();
  const refusalsInARow = new Map<string, number>();
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function add(answer: Answer): void {
    if (answer.status === undefined) return;
    const key = toKey(answer.scope);
    const entry = toEntry(key, answer.scope);
    entry.answers += 1;
    if (judgeEndpoint(answer) === 'trouble') entry.trouble += 1;
    countRefusals(key, entry, answer.outcome);
    if (answer.outcome.kind === 'gone') {
      const { fault, reason, invalidSince } = answer.outcome;
      entry[fault === 'dead' ? 'dead' : 'wrongPlace'] += 1;
      entry.faults.push({
        scope: answer.scope,
        deviceId: answer.deviceId,
        pushTokenHash: hashPushToken(answer.pushToken),
        reason,
        kind: fault,
        // A date after our asking would be held against registrations that are yet to come.
        invalidSince:
          invalidSince !== undefined && invalidSince < answer.claimedAt
            ? invalidSince
            : answer.claimedAt,
      });
    }
    // Good news can wait and share a statement; a fault must not, since the guard may have to stop the scope.
    if (entry.faults.length > 0 || entry.pauseReason !== undefined) startWriting();
    else timer ??= setTimeout(startWriting, GATHER_MS);
  }

  function addSent(scope: CredentialScope, count: number): void {
    const key = toKey(scope);
    toEntry(key, scope).answers += count;
    refusalsInARow.delete(key);
    timer ??= setTimeout(startWriting, GATHER_MS);
  }

  function toEntry(key: string, scope: CredentialScope): Gathered {
    const kept = gathered.get(key);
    if (kept !== undefined) return kept;
    const made = {
      scope,
      answers: 0,
      wrongPlace: 0,
      dead: 0,
      trouble: 0,
      faults: [],
      pauseReason: undefined,
    };
    gathered.set(key, made);
    return made;
  }

  function startWriting(): void {
    clearTimeout(timer);
    timer = undefined;
    writing ??= new Promise((resolve) => setImmediate(resolve)).then(writeAll).finally(() => {
      writing = undefined;
    });
  }

  function countRefusals(key: string, entry: Gathered, outcome: Answer['outcome']): void {
    if (outcome.kind === 'sent') refusalsInARow.delete(key);
    if (outcome.kind !== 'fail' || outcome.pauseAfter === undefined) return;
    if (refusalsInARow.size >= MAX_SCOPES_REMEMBERED) refusalsInARow.clear();
    const inARow = (refusalsInARow.get(key) ?? 0) + 1;
    refusalsInARow.set(key, inARow);
    if (inARow >= outcome.pauseAfter) entry.pauseReason = outcome.reason;
  }

  async function writeAll(): Promise<void> {
    while (gathered.size > 0) {
      const entries = [...gathered.values()];
      gathered = new Map();
      try {
        await write(entries);
      } catch (error) {
        // The outcomes themselves are recorded; a token that is dead will say so again.
        deps.onError(error);
      }
    }
  }

  async function write(entries: readonly Gathered[]): Promise<void> {
    const counts: AnswerCount[] = entries.map(({ scope, answers, wrongPlace, dead, trouble }) => ({
      scope,
      answers,
      wrongPlace,
      dead,
      trouble,
    }));
    await noteAnswers(deps.db, counts);
    await noteTokenFaults(
      deps.db,
      entries.flatMap((entry) => entry.faults),
    );
    for (const { scope, faults, pauseReason } of entries) {
      // Now and not only when they are ripe: by then a minute of good answers has passed over what a provider said in a bad one.
      if (faults.length > 0) await askGuard(deps, scope);
      if (pauseReason !== undefined) await deps.pauses.open(scope, 'app', pauseReason);
    }
  }

  return {
    add,
    addSent,
    async close() {
      startWriting();
      while (writing !== undefined) await writing;
    },
  };
}
