import type { Logger } from './log.ts';

const CHECK_TIMEOUT_MS = 2_000;

export type Status = 'UP' | 'DOWN';

export interface Readiness {
  readonly status: Status;
  readonly components: Readonly<Record<string, { readonly status: Status }>>;
}

/** Rejects, or takes longer than 2 s, when what it looks at cannot be used. */
export type ReadinessCheck = () => Promise<unknown>;

export interface Health {
  addCheck(name: string, check: ReadinessCheck): void;
  /** From now on not ready, so that no new work is sent to a process that drains. */
  drain(): void;
  /** Whether the process should be kept: it can answer, so it should. */
  liveness(): { readonly status: Status };
  /** Whether work should be sent here. Why a component is down stands in the log, not in the answer. */
  readiness(): Promise<Readiness>;
}

export function createHealth(log: Logger): Health {
  const checks = new Map<string, ReadinessCheck>();
  const last = new Map<string, Status>();
  let isDraining = false;

  const look = async (
    name: string,
    check: ReadinessCheck,
  ): Promise<[string, { status: Status }]> => {
    const failure = await failureOf(check);
    const status = failure === undefined ? 'UP' : 'DOWN';
    if (status !== (last.get(name) ?? 'UP')) {
      log.warn({ component: name, status, err: failure }, 'readiness changed');
    }
    last.set(name, status);
    return [name, { status }];
  };

  return {
    addCheck(name, check) {
      checks.set(name, check);
    },
    drain() {
      isDraining = true;
    },
    liveness: () => ({ status: 'UP' }),
    async readiness() {
      const looks = [...checks].map(([name, check]) => look(name, check));
      const components = Object.fromEntries(await Promise.all(looks));
      const isUp = Object.values(components).every(({ status }) => status === 'UP');
      return { status: isUp && !isDraining ? 'UP' : 'DOWN', components };
    },
  };
}

async function failureOf(check: ReadinessCheck): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return undefined;
  } catch (error) {
    return error ?? new Error('failed');
  } finally {
    clearTimeout(timer);
  }
}
