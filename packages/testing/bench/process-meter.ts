import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second for everybody, whatever the kernel's own tick. */
const TICK_MICROS = 10_000;

/** Fields of /proc/PID/stat, counted from the one after the name. */
const PARENT = 1;
const OWN_TIMES = [11, 12];
/** Of children that have ended and were waited for. */
const ENDED_CHILDREN_TIMES = [13, 14];

/** CPU time that the process has used since its start, all threads, user and system. */
export function readCpuMicros(pid: number): number {
  return sumTicks(readStat(pid), OWN_TIMES);
}

/** The same of a process with all its children, those that have ended included. */
export function readTreeCpuMicros(pid: number): number {
  const own = sumTicks(readStat(pid), [...OWN_TIMES, ...ENDED_CHILDREN_TIMES]);
  return listChildren(pid).reduce((sum, stat) => sum + sumTicks(stat, OWN_TIMES), own);
}

/** The most memory that the process has held at once since its start. */
export function readPeakRssMb(pid: number): number {
  return readStatusMb(pid, /^VmHWM:\s+(\d+) kB$/m);
}

/** The memory that the process holds now. */
export function readRssMb(pid: number): number {
  return readStatusMb(pid, /^VmRSS:\s+(\d+) kB$/m);
}

function readStatusMb(pid: number, line: RegExp): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(line.exec(status)?.[1]) / 1024);
}

/** What a process has read and written since its start, over connections and files; not what it got by recv() or sent by send(). */
export function readIoBytes(pid: number): { readonly read: number; readonly written: number } {
  const text = readFileSync(`/proc/${pid}/io`, 'utf8');
  return {
    read: Number(/^rchar: (\d+)$/m.exec(text)?.[1]),
    written: Number(/^wchar: (\d+)$/m.exec(text)?.[1]),
  };
}

export function readParentPid(pid: number): number {
  return Number(readStat(pid)[PARENT]);
}

/** Fields of the first line of /proc/stat in which nobody uses the machine. */
const IDLE = new Set([3, 4]);
/** Those that are part of others: guests count as users. */
const COUNTED_FIELDS = 8;

/** CPU time that everything on this machine has used, and what its host took away from it. */
function readMachineCpuMicros(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = first
    .trim()
    .split(/ +/)
    .slice(1, 1 + COUNTED_FIELDS);
  return (
    ticks.reduce((sum, each, field) => sum + (IDLE.has(field) ? 0 : Number(each)), 0) * TICK_MICROS
  );
}

export interface CpuMeter<Name extends string> {
  /** CPU time that each has used since the meter was started, µs; `others` is the rest of the machine. */
  read(): Readonly<Record<Name | 'others', number>>;
}

/** Starts to measure; each entry reads the CPU time of a process or a group of them. */
export function startCpuMeter<Name extends string>(
  readers: Readonly<Record<Name, () => number>>,
): CpuMeter<Name> {
  const readAll = (since: (name: Name) => number) =>
    Object.fromEntries(
      (Object.keys(readers) as Name[]).map((name) => [name, readers[name]() - since(name)]),
    ) as Record<Name, number>;
  const started = readAll(() => 0);
  const machineStarted = readMachineCpuMicros();
  return {
    read() {
      const own = readAll((name) => started[name]);
      const sum = Object.values<number>(own).reduce((total, each) => total + each, 0);
      return { ...own, others: Math.max(0, readMachineCpuMicros() - machineStarted - sum) };
    },
  };
}

function readStat(pid: number | string): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name is in brackets, and may hold spaces and brackets itself.
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function listChildren(parent: number): (readonly string[])[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readStat(pid)];
      } catch {
        // Ended since the folder was listed.
        return [];
      }
    })
    .filter((stat) => Number(stat[PARENT]) === parent);
}

function sumTicks(stat: readonly string[], fields: readonly number[]): number {
  return fields.reduce((sum, field) => sum + Number(stat[field]), 0) * TICK_MICROS;
}
