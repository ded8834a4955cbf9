// What an installation for very many devices needs, worked out from measured figures. Pure; docs/scale.md shows what it gives.

const DAY_S = 86_400;
const GB = 1e9;
/** PostgreSQL logs a whole page at its first change after a checkpoint. */
const PAGE = 8192;

/** What is asked for, and the machines it is to run on. Nobody measured these. */
export const ASSUMED = {
  devices: 100e6,
  pushesPerDay: 1e9,
  campaignShare: 0.9,
  fcmShare: 0.5,
  firebaseProjects: 1,
  registrationsPerDevice: 1,
  standingAudience: 500e6,
  exceptionShare: 0.02,
  inboxPerDay: 10e6,
  inboxUsers: 50e6,
  auditPerDay: 10_000,
  /** The busiest minute, over the day's mean, of what comes by itself. */
  peakFactor: 4,
  /** All campaigns of a day go out within these. */
  campaignHours: 6,
  /** How much of a core may be in use at the peak. */
  busyShare: 0.6,
  apnsAnswerMs: 100,
  fcmAnswerMs: 200,
  apnsStreams: 1000,
  fcmStreams: 100,
  callbackDays: 3,
  shortRetentionDays: 14,
  /** One large database server. */
  server: { cores: 64, memoryGb: 512, diskGb: 16_000, walMbPerSecond: 300, connections: 500 },
  networkMbit: 10_000,
  redisMb: 1000,
};

const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

/**
 * @param figures of docs/scale/figures.json
 * @param facts of the code: defaults and bounds, see `readFacts`
 */
export function workOut({ bench }, facts, assumed = ASSUMED) {
  const { accept, messages, campaign, storage } = bench;
  const { bytes } = storage;
  const perDay = toPerDay(assumed);
  const peak = toPeak(perDay, assumed);

  const rowsOf = toTables(perDay, bytes, facts, assumed);
  const tables = rowsOf.map((table) => ({
    ...table,
    gbPerDay: (table.rowsPerDay * table.bytes) / GB,
    keptGb: (table.rowsKept * table.bytes) / GB,
    keptShortGb: (table.rowsKeptShort * table.bytes) / GB,
  }));
  const wal = toWal(perDay, bytes).map((part) => ({
    ...part,
    gbPerDay: (part.rowsPerDay * part.bytes) / GB,
    worstGbPerDay: (part.rowsPerDay * (part.bytes + part.pages * PAGE)) / GB,
  }));
  const walGb = sum(wal, ({ gbPerDay }) => gbPerDay);
  const worstWalGb = sum(wal, ({ worstGbPerDay }) => worstGbPerDay);

  const cores = toCores(peak, bench);
  const processes = {
    api: Math.ceil(sum(cores, ({ api }) => api) / assumed.busyShare),
    dispatcher: Math.ceil(sum(cores, ({ dispatcher }) => dispatcher) / assumed.busyShare),
  };
  const sessions = toSessions(peak, processes, facts, assumed);
  processes.dispatcher = Math.max(processes.dispatcher, sessions.dispatchersForFcm);

  const redis = {
    backlogKb: storage.redisBacklogKb,
    mostMb: (facts.jobs * facts.deliveriesPerJob * storage.redisBacklogKb) / storage.backlog / 1024,
    campaignKb: campaign.redisKb,
    cores: (peak.messages * messages.cores.redis) / messages.rate,
  };
  const pushBytes = storage.wire.campaign.requestBytes;
  const network = {
    pushBytes,
    mbit: ((peak.campaign + peak.messages) * pushBytes * 8) / 1e6,
    gbPerDay: (assumed.pushesPerDay * pushBytes) / GB,
  };
  const fcm = {
    peakPerSecond: (peak.campaign + peak.messages) * assumed.fcmShare,
    ceiling: facts.fcmPerSecond * assumed.firebaseProjects,
    hours:
      (assumed.pushesPerDay * assumed.fcmShare) /
      (facts.fcmPerSecond * assumed.firebaseProjects) /
      3600,
  };
  const totals = {
    gbPerDay: sum(tables, (t) => t.gbPerDay),
    keptGb: sum(tables, (t) => t.keptGb),
    keptShortGb: sum(tables, (t) => t.keptShortGb),
    walGb,
    worstWalGb,
    postgresCores: sum(cores, ({ postgres }) => postgres),
    connections: (processes.api + processes.dispatcher) * facts.poolSize,
  };
  const campaignUser = bytes.campaignUser.heap + bytes.campaignUser.index;
  return {
    perDay,
    peak,
    tables,
    wal,
    cores,
    processes,
    sessions,
    redis,
    network,
    fcm,
    totals,
    partitions: { tables: facts.partitioned, days: facts.messagesDays + facts.daysAhead + 1 },
    audienceGbPerDay: (perDay.campaign * campaignUser) / GB,
    limits: toLimits({ tables, fcm, totals, redis, network, assumed }),
    rates: {
      accept: 1e6 / accept.cpuMicros,
      messages: 1e6 / messages.cpuMicros,
      campaign: 1e6 / campaign.cpuMicros,
    },
  };
}

function toPerDay(assumed) {
  const campaign = assumed.pushesPerDay * assumed.campaignShare;
  return {
    campaign,
    messages: assumed.pushesPerDay - campaign,
    registrations: assumed.devices * assumed.registrationsPerDevice,
    exceptions: campaign * assumed.exceptionShare,
    inbox: assumed.inboxPerDay,
    audit: assumed.auditPerDay,
  };
}

/** Per second. */
function toPeak(perDay, { peakFactor, campaignHours }) {
  const busiest = (count) => (count / DAY_S) * peakFactor;
  return {
    campaign: perDay.campaign / (campaignHours * 3600),
    messages: busiest(perDay.messages),
    registrations: busiest(perDay.registrations),
    inbox: busiest(perDay.inbox),
  };
}

const sizeOf = ({ heap, index }) => heap + index;

function toTables(perDay, bytes, facts, assumed) {
  const daily = (name, of, rowsPerDay, days) => ({
    name,
    bytes: sizeOf(bytes[of]),
    rowsPerDay,
    rowsKept: rowsPerDay * days,
    rowsKeptShort: rowsPerDay * Math.min(days, assumed.shortRetentionDays),
  });
  const standing = (name, of, rows) => ({
    name,
    bytes: sizeOf(bytes[of]),
    rowsPerDay: 0,
    rowsKept: rows,
    rowsKeptShort: rows,
  });
  const { messagesDays, campaignsDays, inboxDays, auditDays } = facts;
  return [
    standing('devices', 'device', assumed.devices),
    standing('activations', 'activation', assumed.devices),
    standing('campaign_users', 'campaignUser', assumed.standingAudience),
    daily('messages', 'message', perDay.messages, messagesDays),
    daily('deliveries', 'delivery', perDay.messages, messagesDays),
    daily('callback_events', 'callbackEvent', perDay.messages, assumed.callbackDays),
    // Its figure is per delivery, not per chunk.
    daily('campaign_chunks', 'campaignDelivery', perDay.campaign, campaignsDays),
    daily('campaign_exceptions', 'campaignException', perDay.exceptions, campaignsDays),
    daily('inbox_messages', 'inboxMessage', perDay.inbox, inboxDays),
    standing('inbox_users', 'inboxUser', assumed.inboxUsers),
    daily('audit_log', 'auditEntry', perDay.audit, auditDays),
  ];
}

/** `pages`: whole pages that each may cost besides, where it changes one that nobody has touched since the last checkpoint. */
function toWal(perDay, bytes) {
  const part = (name, of, rowsPerDay, pages) => ({ name, bytes: bytes[of].wal, rowsPerDay, pages });
  return [
    // Measured with such pages.
    part('registrations', 'registration', perDay.registrations, 0),
    // The index by user; all else grows at its end.
    part('messages accepted', 'message', perDay.messages, 1),
    part('messages sent', 'delivery', perDay.messages, 0),
    part('callback events', 'callbackEvent', perDay.messages, 0),
    part('campaign deliveries', 'campaignDelivery', perDay.campaign, 0),
    part('campaign exceptions', 'campaignException', perDay.exceptions, 1),
    // Two indexes by user, and the user's own row.
    part('inbox messages', 'inboxMessage', perDay.inbox, 4),
    part('audit entries', 'auditEntry', perDay.audit, 0),
  ];
}

/** `micros`: CPU time of one, by process. */
const use = (name, perSecond, micros) => ({
  name,
  perSecond,
  ...Object.fromEntries(
    ['api', 'dispatcher', 'postgres'].map((who) => [who, (perSecond * (micros[who] ?? 0)) / 1e6]),
  ),
});

/** Cores in use at the peak, by what uses them. */
function toCores(peak, { accept, messages, campaign, storage }) {
  return [
    use('registrations', peak.registrations, storage.registrationCpuMicros),
    use('messages accepted', peak.messages, {
      api: accept.cpuMicros,
      postgres: accept.postgresCpuMicros,
    }),
    use('messages sent', peak.messages, {
      dispatcher: messages.cpuMicros,
      postgres: messages.postgresCpuMicros,
    }),
    use('campaign deliveries', peak.campaign, {
      dispatcher: campaign.cpuMicros,
      postgres: campaign.postgresCpuMicros,
    }),
  ];
}

function toSessions(peak, processes, facts, assumed) {
  const all = peak.campaign + peak.messages;
  const apnsInFlight = (all * (1 - assumed.fcmShare) * assumed.apnsAnswerMs) / 1000;
  const fcmPerSecond = Math.min(
    all * assumed.fcmShare,
    facts.fcmPerSecond * assumed.firebaseProjects,
  );
  const fcmInFlight = (fcmPerSecond * assumed.fcmAnswerMs) / 1000;
  const apns = Math.ceil(apnsInFlight / assumed.apnsStreams);
  const fcm = Math.ceil(fcmInFlight / assumed.fcmStreams);
  return {
    apnsInFlight,
    fcmInFlight,
    apns,
    fcm,
    apnsPerDispatcher: facts.apnsSessions,
    fcmPerDispatcher: facts.fcmSessions,
    dispatchersForFcm: Math.ceil(fcm / facts.fcmSessions),
    apnsAtMost: processes.dispatcher * facts.apnsSessions,
  };
}

const limit = (what, needed, has, unit) => ({ what, needed, has, unit, share: needed / has });

/** How much of what there is would be needed, the scarcest first. */
function toLimits({ tables, fcm, totals, redis, network, assumed }) {
  const { server, busyShare, peakFactor, networkMbit } = assumed;
  const size = (name) => tables.find((table) => table.name === name).keptGb;
  const perSecond = (gbPerDay) => (gbPerDay * 1000 * peakFactor) / DAY_S;
  return [
    limit("Google's quota of one project", fcm.peakPerSecond, fcm.ceiling, 'pushes/s'),
    limit('disk, with the default retention', totals.keptGb, server.diskGb, 'GB'),
    limit('disk, with the short one', totals.keptShortGb, server.diskGb, 'GB'),
    limit('write-ahead log, at worst', perSecond(totals.worstWalGb), server.walMbPerSecond, 'MB/s'),
    limit('CPU of PostgreSQL', totals.postgresCores, server.cores * busyShare, 'cores'),
    limit('connections to PostgreSQL', totals.connections, server.connections, 'connections'),
    limit(
      'memory for devices and activations',
      size('devices') + size('activations'),
      server.memoryGb,
      'GB',
    ),
    limit('CPU of Redis', redis.cores, busyShare, 'cores'),
    limit('memory of Redis, at worst', redis.mostMb, assumed.redisMb, 'MB'),
    limit('network, pushes alone', network.mbit, networkMbit, 'Mbit/s'),
  ].toSorted((a, b) => b.share - a.share);
}
