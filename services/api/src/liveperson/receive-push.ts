import {
  createMessageId,
  isBackgroundAps,
  Refusal,
  toExpiresAt,
  type SecretBox,
} from '@heliograph/core';
import {
  claimPush,
  findSenders,
  hashPushToken,
  insertTokenMessage,
  type Db,
  type KnownSender,
  type TokenMessage,
  type TokenMessageResult,
} from '@heliograph/db';
import { findPayloadViolation } from '@heliograph/providers/payload';
import type { Span, Tracing } from '@heliograph/runtime';
import type { Logger } from 'pino';

import { acceptInSpan, noteMessages } from '../messages/accept-span.ts';
import type { MessageAcceptor } from '../messages/accept-messages.ts';
import { toLogFacts, type RequestOrigin } from '../origin.ts';
import { passesBasic } from './basic.ts';
import { toPushKey, type HandedPush } from './push-key.ts';

export interface ReceiverDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly acceptor: Pick<MessageAcceptor, 'announce'>;
  readonly log: Logger;
  readonly now: () => Date;
  readonly tracing?: Tracing | undefined;
}

/** Whom the certificate and the `Authorization` header stand for. Refuses those that stand for nobody. */
export async function authenticate(
  { db, secrets }: ReceiverDeps,
  fingerprint: Buffer,
  authorization: string | undefined,
): Promise<readonly KnownSender[]> {
  const known = await findSenders(db, fingerprint);
  if (known.length === 0)
    throw new Refusal('unauthenticated', 'No sender is known by this certificate.');
  const senders = known.filter((sender) => passesBasic(secrets, sender, authorization));
  if (senders.length === 0)
    throw new Refusal('unauthenticated', 'The user name or password is missing or wrong.');
  return senders;
}

export interface ReceivedPush {
  readonly messageId: string;
  /** It was taken before, and is not sent again. */
  readonly repeated: boolean;
}

/**
 * Takes a push over: when this resolves it is stored and will be delivered, whatever dies. It goes to one device that has the token in
 * an app of the brand. A repeat of one that was taken is not judged again; of one that was refused, nothing is remembered.
 */
export function receivePush(
  deps: ReceiverDeps,
  senders: readonly KnownSender[],
  handed: HandedPush,
  origin: RequestOrigin,
): Promise<ReceivedPush> {
  return acceptInSpan(deps.tracing, origin, (span) => take(deps, senders, handed, origin, span));
}

async function take(
  deps: ReceiverDeps,
  senders: readonly KnownSender[],
  handed: HandedPush,
  origin: RequestOrigin,
  span: Span | undefined,
): Promise<ReceivedPush> {
  const { brandId } = handed.push;
  const appRefs = senders.filter((one) => one.brandId === brandId).map(({ appRef }) => appRef);
  if (appRefs.length === 0)
    throw new Refusal('unauthenticated', 'The certificate does not stand for this brand.');

  const traceParent = span?.traceParent;
  const message = { ...toTokenMessage(handed, appRefs, deps.now()), traceParent };
  // One transaction: a push that is known as taken has its message, and of two at once one is taken.
  const taken = await deps.db.transaction().execute(async (tx) => {
    const earlier = await claimPush(tx, { ...toPushKey(handed), messageId: message.id });
    if (earlier !== undefined) return { messageId: earlier };
    const result = await insertTokenMessage(tx, message);
    if (result.kind !== 'stored') {
      const pushTokenHash = message.pushTokenHash.toString('hex');
      deps.log.info(
        { brandId, pushTokenHash, reason: result.kind, ...toLogFacts(origin) },
        'LivePerson push not taken',
      );
      throw refuse(result.kind);
    }
    return { messageId: message.id, delivery: result.delivery };
  });
  if (taken.delivery !== undefined) deps.acceptor.announce([taken.delivery]);
  span?.note({ 'messaging.message.id': taken.messageId });
  noteMessages(deps.log, origin, [taken.messageId]);
  return { messageId: taken.messageId, repeated: taken.delivery === undefined };
}

/** Refuses what the provider would not take. */
function toTokenMessage({ push }: HandedPush, appRefs: readonly number[], now: Date): TokenMessage {
  const { provider, raw } = push;
  const silent = 'aps' in raw && isBackgroundAps(raw.aps);
  const message = {
    id: createMessageId(now.getTime()),
    silent,
    priority: 'HIGH',
    expiresAt: toExpiresAt(undefined, silent, now),
  } as const;
  const violation = findPayloadViolation({ ...message, body: { raw } }, provider);
  if (violation !== undefined) throw new Refusal('invalid_request', violation);
  const pushTokenHash = hashPushToken(push.deviceToken);
  return { ...message, appRefs, pushTokenHash, provider, body: JSON.stringify({ raw }) };
}

type Unstored = Exclude<TokenMessageResult['kind'], 'stored'>;

function refuse(kind: Unstored): Refusal {
  // Ours to mend: the sender may repeat it, and the token is not to blame.
  if (kind === 'not_configured')
    return new Refusal('internal', 'The application has no credential for this platform yet.');
  return new Refusal('forbidden', REFUSED[kind]);
}

const REFUSED: Readonly<Record<Exclude<Unstored, 'not_configured'>, string>> = {
  unknown_token: 'No device of the application has this token.',
  token_deactivated: 'The token was deactivated: the provider knows it no more.',
  other_platform: 'The device is of the other platform.',
};
