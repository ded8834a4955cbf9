import type { Failure, Violation } from './error.ts';
import type { Answer } from './exchange.ts';
import type { Attempt } from './retry.ts';

/** What an answer means: its JSON where it is a success, or how it failed. */
export function judge(answer: Answer): Attempt<unknown> {
  const body = parseJson(answer.text);
  const { status } = answer;
  if (status >= 200 && status < 300) {
    if (isRecord(body)) return { isAnswered: true, answer: body };
    return { isAnswered: false, failure: toUnreadable(answer) };
  }
  return { isAnswered: false, failure: toFailure(answer, body) };
}

/** An answer of a refusal, in either shape of the server's errors, or that of a proxy before it. */
function toFailure({ status, headers }: Answer, body: unknown): Failure {
  const said = readError(body);
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'));
  return {
    code: said?.code ?? 'answer',
    message: `${status}${said === undefined ? '' : ` ${said.code}: ${said.message}`}`,
    status,
    correlationId: headers.get('x-correlation-id') ?? undefined,
    retryAfterMs,
    violations: said?.violations ?? [],
    kind: toKind(status, said?.code),
  };
}

/** Of 503 only the one that sheds load says that nothing was done; a database that fell silent may have committed. */
function toKind(status: number, code: string | undefined): Failure['kind'] {
  switch (status) {
    case 429:
      return 'not_done';
    case 503:
      return code === 'ERROR_GENERIC' ? 'not_done' : 'unclear';
    case 408:
    case 502:
    case 504:
      return 'unclear';
    default:
      return status >= 500 ? 'broken' : 'refused';
  }
}

/** JSON that is cut off was on its way; what is no JSON at all comes from somebody else, and will come again. */
function toUnreadable({ status, headers }: Answer): Failure {
  const type = headers.get('content-type') ?? 'nothing';
  const isJson = type.startsWith('application/json');
  return {
    code: 'answer',
    message: isJson ? `${status}, but its JSON is cut off` : `${status}, but no JSON: ${type}`,
    status,
    correlationId: headers.get('x-correlation-id') ?? undefined,
    kind: isJson ? 'unclear' : 'broken',
  };
}

interface SaidError {
  readonly code: string;
  readonly message: string;
  readonly violations: readonly Violation[];
}

function readError(body: unknown): SaidError | undefined {
  if (!isRecord(body)) return undefined;
  // Signed pushes have a shape of their own.
  const error = body['responseObject'] ?? body['error'];
  if (!isRecord(error)) return undefined;
  const { code, message, violations } = error;
  if (typeof code !== 'string' && typeof code !== 'number') return undefined;
  return {
    code: String(code),
    message: typeof message === 'string' ? message : '',
    violations: Array.isArray(violations) ? violations.filter(isViolation) : [],
  };
}

function isViolation(value: unknown): value is Violation {
  return isRecord(value) && typeof value['fieldName'] === 'string';
}

/** Seconds, or a date; undefined where it is neither. */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
