import { beginAudit, finishAudit, type AuditObjects, type Db } from '@heliograph/db';
import type { Logger } from 'pino';

import { toRefusal } from '../http/error-handler.ts';
import { isRecord } from '../http/reader.ts';
import { toLogFacts } from '../origin.ts';
import type { Act } from './guard.ts';

/** What of a request, and of its answer, stands in the record. Nothing else does: so no secret and no text of a message can. */
const RECORDED = [
  'id',
  'appId',
  'keyId',
  'developerKey',
  'callbackId',
  'brandId',
  'fingerprint',
  'platform',
  'provider',
  'runId',
  'dryRun',
  'resend',
  'startAt',
  'ratePerSecond',
  'name',
  'scopes',
  'role',
  'since',
  'until',
  'lane',
  'state',
  'reason',
  'messageId',
  'validUntil',
  'includeAmbiguous',
];
const MADE = ['id', 'appId', 'keyId', 'developerKey', 'runId', 'erasureId', 'replayed'];

/**
 * Writes that the act begins, does it, and adds what came of it. Refuses an act that can't be written down. One whose process dies has
 * an entry without an outcome.
 */
export async function recordAct<Input, Answer>(
  { db, log }: { readonly db: Db; readonly log: Logger },
  act: Act<Input, Answer> & { readonly appRef: number | null },
): Promise<Answer> {
  const { caller, origin, appRef } = act;
  const id = await beginAudit(db, {
    keyId: caller.keyId ?? null,
    actor: caller.name,
    requestId: origin.requestId,
    action: toAction(act.doc.paths[0]),
    appRef,
    objects: toObjects(act.input, act.doc.params !== undefined),
  });
  const finish = (outcome: string, made?: AuditObjects) =>
    finishAudit(db, id, { outcome, ...(made !== undefined && { made }) }).catch(
      // It was done, and its entry says that it was begun.
      (error: unknown) =>
        log.error(
          { err: error, auditId: id, outcome, ...toLogFacts(origin) },
          'outcome not recorded',
        ),
    );
  try {
    const answer = await act.handle();
    await finish('ok', pick(answer, MADE));
    return answer;
  } catch (error) {
    await finish(toRefusal(error).code);
    throw error;
  }
}

/** `/push/campaign/:id/run/pause` is `push.campaign.run.pause`. */
export function toAction(path = ''): string {
  return path
    .split('/')
    .filter((step) => step !== '' && !step.startsWith(':'))
    .join('.');
}

function toObjects(input: unknown, isOfCampaign: boolean): AuditObjects {
  if (!isOfCampaign || !isRecord(input)) return pick(input, RECORDED);
  return { ...pick(input['input'], RECORDED), campaignId: Number(input['id']) };
}

function pick(value: unknown, names: readonly string[]): AuditObjects {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = toShown(value[name]);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

function toShown(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? value.join(' ') : undefined;
}
