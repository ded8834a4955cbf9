import type { Fail, Outcome, Requeue } from '@heliograph/core';
import { hashPushToken, type CredentialScope, type RouteName } from '@heliograph/db';

import type { GuardDeps } from './ask-guard.ts';
import { DeviceAnswerFold } from './device-answers.ts';
import { judgeEndpoint } from './judge-endpoint.ts';
import { toKey } from './pauses.ts';
import { writeEvidence, type Gathered } from './write-evidence.ts';

/** What one answer says about its scope and its token. */
export interface Answer {
  readonly scope: CredentialScope;
  readonly route: RouteName;
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
  /** So many pushes of the scope were sent, and nothing else is to be said of them. A proxy's are named by their devices. */
  addSent(scope: CredentialScope, count: number, byProxy?: SentByProxy): void;
  /** Writes what was gathered. */
  close(): Promise<void>;
}

export interface SentByProxy {
  readonly deviceIds: readonly number[];
  readonly claimedAt: Date;
}

const MAX_SCOPES_REMEMBERED = 10_000;
/** A customer's proxy that refuses so many devices in a row refuses us. */
const REFUSES_ALL = 100;
/** Answers without a fault are written together, this often. */
const GATHER_MS = 1_000;

export function createEvidence(
  deps: GuardDeps & { readonly onError: (error: unknown) => void },
): Evidence {
  let gathered = new Map<string, Gathered>();
  const refusalsInARow = new Map<string, number>();
  const devicesInARow = new Map<string, Set<number>>();
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function add(answer: Answer): void {
    if (answer.status === undefined) return;
    const key = toKey(answer.scope);
    const entry = toEntry(key, answer.scope);
    entry.answers += 1;
    if (judgeEndpoint(answer) === 'trouble') entry.trouble += 1;
    countRefusals(key, entry, answer.outcome);
    if (answer.route === 'proxy') noteDevice(key, entry, answer);
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
    if (entry.faults.length > 0 || entry.pauseReason !== undefined || refusesDevice(answer.outcome))
      startWriting();
    else timer ??= setTimeout(startWriting, GATHER_MS);
  }

  function addSent(scope: CredentialScope, count: number, byProxy?: SentByProxy): void {
    const key = toKey(scope);
    const entry = toEntry(key, scope);
    entry.answers += count;
    refusalsInARow.delete(key);
    if (byProxy !== undefined) {
      devicesInARow.delete(key);
      const devices = (entry.devices ??= new DeviceAnswerFold());
      for (const id of byProxy.deviceIds) devices.addTaken(id, byProxy.claimedAt);
    }
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
      devices: undefined,
      blocked: false,
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

  /** A proxy may refuse a device; where it refuses one after the other, it is more likely that it does not want us. */
  function noteDevice(key: string, entry: Gathered, answer: Answer): void {
    const { outcome, deviceId, claimedAt } = answer;
    if (outcome.kind === 'sent' || outcome.kind === 'gone') devicesInARow.delete(key);
    if (outcome.kind === 'sent')
      (entry.devices ??= new DeviceAnswerFold()).addTaken(deviceId, claimedAt);
    if (!refusesDevice(outcome)) return;
    const hash = hashPushToken(answer.pushToken);
    (entry.devices ??= new DeviceAnswerFold()).addRefused(deviceId, hash, claimedAt);
    if (devicesInARow.size >= MAX_SCOPES_REMEMBERED) devicesInARow.clear();
    const inARow = devicesInARow.get(key) ?? new Set();
    devicesInARow.set(key, inARow.add(deviceId));
    if (inARow.size < REFUSES_ALL) return;
    entry.pauseReason = outcome.reason;
    devicesInARow.delete(key);
  }

  async function writeAll(): Promise<void> {
    while (gathered.size > 0) {
      const entries = [...gathered.values()];
      gathered = new Map();
      try {
        await writeEvidence(deps, entries);
      } catch (error) {
        // The outcomes themselves are recorded; a token that is dead will say so again.
        deps.onError(error);
      }
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

function refusesDevice(outcome: Answer['outcome']): outcome is Fail {
  return outcome.kind === 'fail' && outcome.refusedBy === 'device';
}
