import type { Answer } from '../answers/answer.ts';

/** What the client was told, or what was done to it. */
export interface GivenAnswer {
  readonly kind: Answer['kind'];
  /** Absent where no status was sent. */
  readonly status?: number;
  readonly reason?: string;
  /** FCM: the name of the message that was made. */
  readonly name?: string;
}

/** `statusOf` knows the documented status of a provider's reasons. */
export function toGivenAnswer(
  answer: Answer,
  statusOf: (reason: string) => number,
  name?: string,
): GivenAnswer {
  const { kind } = answer;
  const accepted = { kind, status: 200, ...(name !== undefined && { name }) };
  switch (kind) {
    case 'accept':
      return accepted;
    case 'refuse': {
      const { reason, status = statusOf(reason) } = answer;
      return { kind, status, reason };
    }
    case 'raw':
      return { kind, status: answer.status };
    case 'redirect':
      return { kind, status: answer.status ?? 307 };
    case 'endless':
      return { kind, status: 200 };
    case 'goaway':
      return answer.streams === 'answer' ? accepted : { kind };
    case 'silence':
    case 'fin':
    case 'tcp-reset':
    case 'reset-unread':
    case 'rst-stream':
      return { kind };
  }
}
