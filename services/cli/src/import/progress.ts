const BAR_WIDTH = 24;
/** Between two looks of a bar, and two lines where there is no terminal. */
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

export interface ProgressDeps {
  readonly write: (text: string) => void;
  /** A bar is drawn over itself; elsewhere there are lines. */
  readonly isTerminal: boolean;
  readonly now: () => Date;
}

export interface StepProgress {
  /** So many rows more were read. */
  advance(rows: number): void;
  end(): void;
}

/** Shows how far a step is. `done` of its rows were done by a process before this one. */
export function showProgress(
  { write, isTerminal, now }: ProgressDeps,
  step: { readonly name: string; readonly total: number; readonly done: number },
): StepProgress {
  const startedAt = now().getTime();
  let shownAt = startedAt;
  let { done } = step;

  const show = (total: number) => {
    const seconds = (now().getTime() - startedAt) / 1000;
    const line = toLine({ name: step.name, done, total, rate: (done - step.done) / seconds });
    write(isTerminal ? `${CLEAR_LINE}${toBar(done, total)} ${line}` : `${line}\n`);
  };
  return {
    advance(rows) {
      done += rows;
      const time = now().getTime();
      if (time - shownAt < (isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
      shownAt = time;
      show(step.total);
    },
    end() {
      show(done);
      if (isTerminal) write('\n');
    },
  };
}

function toBar(done: number, total: number): string {
  const filled = Math.round(BAR_WIDTH * toShare(done, total));
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
}

function toLine(at: {
  readonly name: string;
  readonly done: number;
  readonly total: number;
  readonly rate: number;
}): string {
  const { name, done, total, rate } = at;
  const percent = Math.floor(100 * toShare(done, total));
  const parts = [`${name}: ${done} of ${total} rows, ${percent} %`];
  if (!Number.isFinite(rate) || rate <= 0) return parts.join('');
  parts.push(`${Math.round(rate)}/s`);
  if (done < total) parts.push(`${Math.ceil((total - done) / rate)} s to go`);
  return parts.join(', ');
}

/** Rows may have come since they were counted. */
function toShare(done: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, done / total);
}
