import type { Db } from '@heliograph/db';
import { sql } from 'kysely';

import type { Bench } from '../bench.ts';
import { createCampaign, startRun, waitUntilOver } from '../campaigns.ts';
import { insertDevices } from '../devices.ts';
import { waitUntilDone } from '../ledger.ts';
import { type Load, startLoad } from '../load.ts';
import { readCpuMicros, readIoBytes, startCpuMeter } from '../process-meter.ts';
import { readKeysBytes } from '../redis-memory.ts';
import { type Report, round, type Row } from '../report.ts';
import { startSink } from '../sink/sink.ts';
import { type Stack, startStack } from '../stack.ts';
import {
  ageDevices,
  fillAudience,
  fillAuditLog,
  fillInbox,
  insertActivations,
  insertExceptions,
  insertListener,
  registerAgain,
} from '../storage/fill-tables.ts';
import { measureRows, type RowBytes } from '../storage/measure-rows.ts';

const DEVICES = 200_000;
const DEVICES_PER_STATEMENT = 20_000;
/** What is written one by one, or made by statement where the size of the whole does not matter: enough for some hundred pages. */
const FEW_ROWS = 20_000;
const WARM_UP = 2_000;
/**
 * Of the devices so many register between two checkpoints: a hundredth, as of any number of devices that register once a day with a
 * checkpoint every quarter of an hour. Each finds pages that the log has not seen since, as in production.
 */
const REGISTERING_SHARE = 0.01;
const CONNECTIONS = 64;
const SECONDS = 6;
const WAVE_TIMEOUT_MS = 120_000;

/**
 * Bytes per row and index on disk, and in the write-ahead log, of everything that grows with devices and pushes; what Redis holds behind a backlog;
 * bytes on the wire to the provider. Messages and campaigns come through the services, and registrations through the api.
 */
export async function storage(bench: Bench): Promise<Report> {
  const devices = bench.devices ?? DEVICES;
  const seconds = bench.seconds ?? SECONDS;
  const stack = await startStack(bench, 0);
  const sink = await startSink(bench, stack.folder);
  const load = await startLoad(bench.processes);
  const { db, client, appId, appRef } = stack;

  const device = await measureRows(db, ['devices'], () => fillDevices(stack, devices));
  const activation = await measureRows(db, ['activations'], () => insertActivations(db));
  const aged = await measureRows(db, ['devices'], () => ageDevices(db));
  await sql`VACUUM ANALYZE devices, activations`.execute(db);
  const every = 1 / REGISTERING_SHARE;
  await registerAgain(
    client,
    appId,
    Array.from({ length: WARM_UP }, (_, n) => n),
  );
  const spread = Array.from({ length: Math.floor(devices / every) }, (_, n) => n * every + 1);
  const registration = await measureCpu(stack, () =>
    measureRows(db, ['devices', 'activations'], () => registerAgain(client, appId, spread)),
  );

  const messages = await measureMessages(stack, load, sink, devices, seconds);
  await insertListener(db, appRef);
  const told = await measureMessages(stack, load, sink, devices, seconds);

  const campaignId = await createCampaign(stack);
  const audience = await measureRows(db, ['campaign_users'], () =>
    fillAudience(db, campaignId, devices),
  );
  const run = await measureRun(stack, sink, campaignId, devices);
  const exception = await measureRows(db, ['campaign_exceptions'], () =>
    insertExceptions(db, run.runId, FEW_ROWS),
  );
  const inbox = await measureRows(db, ['inbox_messages', 'inbox_users'], () =>
    fillInbox(db, appRef, FEW_ROWS),
  );
  const audit = await measureRows(db, ['audit_log'], () => fillAuditLog(db, appRef, FEW_ROWS));

  return toReport({
    devices,
    postgres: await readVersion(db),
    bytes: {
      device: {
        heap: device.tables.devices.heap + aged.tables.devices.heap,
        index: device.tables.devices.index + aged.tables.devices.index,
        wal: device.wal,
      },
      activation: toEntry(activation, 'activations'),
      registration: { heap: 0, index: 0, wal: registration.measured.wal },
      message: { ...sumOf('messages', messages), wal: messages.accepted.wal },
      delivery: { ...sumOf('deliveries', messages), wal: messages.sent.wal },
      callbackEvent: {
        ...told.sent.tables.callback_events,
        wal: Math.max(0, told.sent.wal - messages.sent.wal),
      },
      campaignUser: toEntry(audience, 'campaign_users'),
      campaignDelivery: toEntry(run.measured, 'campaign_chunks'),
      campaignException: toEntry(exception, 'campaign_exceptions'),
      inboxMessage: toEntry(inbox, 'inbox_messages'),
      inboxUser: { ...inbox.tables.inbox_users, wal: 0 },
      auditEntry: toEntry(audit, 'audit_log'),
    },
    registrationCpuMicros: registration.cpuMicros,
    redisBacklogKb: messages.redisBacklogKb,
    backlog: messages.accepted.rows,
    wire: { message: messages.wire, campaign: run.wire },
  });
}

interface Entry {
  readonly heap: number;
  readonly index: number;
  readonly wal: number;
}

function toEntry<Table extends string>(measured: RowBytes<Table>, table: Table): Entry {
  return { ...measured.tables[table], wal: measured.wal };
}

async function fillDevices({ db, appRef }: Stack, count: number): Promise<number> {
  for (let from = 0; from < count; from += DEVICES_PER_STATEMENT)
    await insertDevices(db, appRef, Math.min(DEVICES_PER_STATEMENT, count - from), from);
  return count;
}

async function measureCpu<Table extends string>(
  stack: Stack,
  work: () => Promise<RowBytes<Table>>,
) {
  const meter = startCpuMeter({ api: () => readCpuMicros(stack.api.pid), ...stack.serversCpu });
  const measured = await work();
  const { api, postgres } = meter.read();
  return {
    measured,
    cpuMicros: { api: round(api / measured.rows), postgres: round(postgres / measured.rows) },
  };
}

type Sink = Awaited<ReturnType<typeof startSink>>;

/** A backlog is accepted, looked at in Redis, and sent. */
async function measureMessages(
  stack: Stack,
  load: Load,
  sink: Sink,
  devices: number,
  seconds: number,
) {
  const { db, redis } = stack;
  const tables = ['messages', 'deliveries', 'callback_events'] as const;
  await redis.flushdb();
  const accepted = await measureRows(db, tables, async () => {
    const result = await load.saturate({
      port: stack.apiPort,
      apiKey: stack.apiKey,
      appId: stack.appId,
      connections: CONNECTIONS,
      devices,
      platforms: 'both',
      seconds,
    });
    return result.accepted;
  });
  const redisBacklogKb = round((await readKeysBytes(redis)) / 1024);
  const wire = followWire(sink);
  const sent = await measureRows(db, tables, async () => {
    const dispatcher = await stack.startDispatcher(sink.env);
    await waitUntilDone(db, WAVE_TIMEOUT_MS);
    await dispatcher.stop();
    return accepted.rows;
  });
  return { accepted, sent, redisBacklogKb, wire: wire(sent.rows) };
}

type Wave = Awaited<ReturnType<typeof measureMessages>>;

/** A row is written when it is accepted, and grows by its outcome. */
function sumOf(table: 'messages' | 'deliveries', { accepted, sent }: Wave) {
  const [before, after] = [accepted.tables[table], sent.tables[table]];
  return { heap: before.heap + after.heap, index: before.index + after.index };
}

async function measureRun(stack: Stack, sink: Sink, campaignId: number, devices: number) {
  const dispatcher = await stack.startDispatcher(sink.env);
  const wire = followWire(sink);
  let runId = '';
  const measured = await measureRows(stack.db, ['campaign_chunks'], async () => {
    const run = await startRun(stack, campaignId);
    runId = run.id;
    await waitUntilOver(stack.db, run);
    return devices;
  });
  await dispatcher.stop();
  return { runId, measured, wire: wire(devices) };
}

/** What nginx reads and writes from now on, per push: HTTP/2 and TLS, no TCP. */
function followWire({ process: { pid } }: Sink) {
  const before = readIoBytes(pid);
  return (pushes: number) => {
    const { read, written } = readIoBytes(pid);
    return {
      requestBytes: round((read - before.read) / pushes),
      answerBytes: round((written - before.written) / pushes),
    };
  };
}

async function readVersion(db: Db): Promise<string> {
  const { rows } = await sql<{
    version: string;
  }>`SELECT current_setting('server_version') AS version`.execute(db);
  return rows[0]?.version ?? '';
}

interface Figures {
  readonly devices: number;
  /** The server's version. */
  readonly postgres: string;
  /** Per row: on disk, and in the log. */
  readonly bytes: Readonly<Record<string, Entry>>;
  readonly registrationCpuMicros: { readonly api: number; readonly postgres: number };
  /** What Redis holds for a backlog of so many messages. */
  readonly redisBacklogKb: number;
  readonly backlog: number;
  readonly wire: Readonly<Record<'message' | 'campaign', WireBytes>>;
}

interface WireBytes {
  readonly requestBytes: number;
  readonly answerBytes: number;
}

function toReport(figures: Figures): Report {
  const { bytes, registrationCpuMicros, redisBacklogKb, backlog, wire } = figures;
  return {
    figures: { ...figures },
    rows: [
      ...Object.entries(bytes).map(([name, { heap, index, wal }]): Row => {
        return { name, value: `${heap} B, indexes ${index} B, log ${wal} B` };
      }),
      {
        name: 'CPU per registration',
        value: `api ${registrationCpuMicros.api} µs, postgres ${registrationCpuMicros.postgres} µs`,
      },
      { name: 'Redis behind a backlog', value: `${redisBacklogKb} KB for ${backlog} messages` },
      ...Object.entries(wire).map(([name, { requestBytes, answerBytes }]): Row => {
        return { name: `wire, a ${name}`, value: `${requestBytes} B out, ${answerBytes} B back` };
      }),
    ],
    notes: [],
  };
}
