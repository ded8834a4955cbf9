// What ends a launcher.

const POLL_PARENT_MS = 500;
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Thrown by the signal of `watchForStop`: someone asked us to stop, which is no failure. */
class Stopped extends Error {
  constructor(reason) {
    super(`Stopped by ${reason}.`);
    this.exitCode = EXIT_CODES[reason] ?? 143;
  }
}

/** An AbortSignal that fires when a terminal, a supervisor or npm wants this launcher gone. */
function watchForStop() {
  const controller = new AbortController();
  const stop = (reason) => controller.abort(new Stopped(reason));
  for (const name of Object.keys(EXIT_CODES)) process.on(name, () => stop(name));

  // SIGTERM to npm ends npm and its shell, but is not passed on to us.
  const parent = process.ppid;
  const underNpm = process.env.npm_lifecycle_event !== undefined;
  const watch = () => process.ppid !== parent && stop('the end of npm');
  if (underNpm) setInterval(watch, POLL_PARENT_MS).unref();

  return controller.signal;
}

/** Resolves with the reason when the signal fires. */
export function stopOf(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

/** What the promise resolves with; rejects with the reason as soon as the signal fires. */
export function unlessStopped(signal, promise) {
  const stopped = stopOf(signal).then((reason) => {
    throw reason;
  });
  return Promise.race([promise, stopped]);
}

/** Runs a launcher's story to its exit code. A failure is told in one message, without our stack. */
export async function main(story) {
  const signal = watchForStop();
  // A terminal that went away is no reason to leave servers behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    process.exitCode = await story(signal);
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    if (!(reason instanceof Stopped)) console.error(`\n${reason.message}`);
    process.exitCode = reason.exitCode ?? 1;
  }
  process.exit();
}
