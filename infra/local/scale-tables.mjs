// The blocks of docs/scale.md, from what the model worked out: Markdown as Prettier writes it.

import { ASSUMED } from './scale-model.mjs';

/** Name of a block → its lines. */
export function toBlocks(figures, facts, worked) {
  return {
    machine: toMachine(figures),
    assumed: toAssumed(),
    measured: toMeasured(figures),
    postgres: toPostgres(worked, facts),
    wal: toWal(worked),
    processes: toProcesses(worked),
    redis: toRedis(worked, figures, facts),
    connections: toConnections(worked, facts),
    network: toNetwork(worked),
    limits: toLimits(worked),
  };
}

function toMachine({ machine, date, command }) {
  return [
    `Measured on ${date} with \`${command}\` on ${machine.cores} cores of ${machine.cpu} with ${number(machine.memoryGb)} GB, Node.js ${machine.node},`,
    `PostgreSQL ${machine.postgres}. Other processes used up to ${percent(machine.others)} of a core meanwhile, so times of CPU are shown and no rates: they suffer least.`,
  ];
}

function toAssumed() {
  const { server } = ASSUMED;
  return table(
    ['what', 'how much'],
    [
      ['devices, each with an activation of its own', number(ASSUMED.devices)],
      ['pushes a day', number(ASSUMED.pushesPerDay)],
      ['of them in campaigns', percent(ASSUMED.campaignShare)],
      ['of them to FCM', percent(ASSUMED.fcmShare)],
      ['Firebase projects', number(ASSUMED.firebaseProjects)],
      ['registrations of a device a day', number(ASSUMED.registrationsPerDevice)],
      ['users in campaigns that are kept, all together', number(ASSUMED.standingAudience)],
      ['pushes of campaigns that fail at the first try', percent(ASSUMED.exceptionShare)],
      ['inbox messages a day', number(ASSUMED.inboxPerDay)],
      ['users with an inbox', number(ASSUMED.inboxUsers)],
      ['entries of the audit log a day', number(ASSUMED.auditPerDay)],
      ['busiest minute, of messages and registrations', `${ASSUMED.peakFactor} times the mean`],
      ["a day's campaigns are sent within", `${ASSUMED.campaignHours} hours`],
      ['a core is used to', percent(ASSUMED.busyShare)],
      ['an answer takes', `APNs ${ASSUMED.apnsAnswerMs} ms, FCM ${ASSUMED.fcmAnswerMs} ms`],
      ['streams of a connection', `APNs ${number(ASSUMED.apnsStreams)}, FCM ${ASSUMED.fcmStreams}`],
      [
        'the database server',
        `${server.cores} cores, ${server.memoryGb} GB, ${number(server.diskGb)} GB of disk, ${server.walMbPerSecond} MB/s of log, ${server.connections} connections`,
      ],
      ['the memory of Redis', `${number(ASSUMED.redisMb)} MB`],
      ['the network', `${number(ASSUMED.networkMbit)} Mbit/s`],
    ],
  );
}

const toRow = (name, { heap, index, wal }, cpu = '') => [
  name,
  heap === 0 ? '' : `${heap}`,
  heap === 0 ? '' : `${index}`,
  wal === 0 ? '' : `${wal}`,
  cpu,
];

const micros = (parts) =>
  Object.entries(parts)
    .map(([who, value]) => `${who} ${value}`)
    .join(', ');

function toMeasured({ bench: { accept, messages, campaign, storage } }) {
  const { bytes, registrationCpuMicros, wire } = storage;
  return [
    ...table(
      ['one', 'row, B', 'its indexes, B', 'log, B', 'CPU, µs'],
      [
        toRow('device', bytes.device),
        toRow('activation', bytes.activation),
        toRow('registration of a known device', bytes.registration, micros(registrationCpuMicros)),
        toRow(
          'message, accepted',
          bytes.message,
          micros({ api: accept.cpuMicros, postgres: accept.postgresCpuMicros }),
        ),
        toRow(
          'delivery of it, sent',
          bytes.delivery,
          micros({ dispatcher: messages.cpuMicros, postgres: messages.postgresCpuMicros }),
        ),
        toRow('event for a callback', bytes.callbackEvent),
        toRow('user of a campaign', bytes.campaignUser),
        toRow(
          'delivery of a campaign',
          bytes.campaignDelivery,
          micros({ dispatcher: campaign.cpuMicros, postgres: campaign.postgresCpuMicros }),
        ),
        toRow('delivery that failed at first', bytes.campaignException),
        toRow('inbox message', bytes.inboxMessage),
        toRow('user of an inbox', bytes.inboxUser),
        toRow('entry of the audit log', bytes.auditEntry),
      ],
    ),
    '',
    `A push of the reference's example has ${wire.campaign.requestBytes} bytes on the wire and ${wire.campaign.answerBytes} in its answer, HTTP/2 and TLS included, TCP not.`,
  ];
}

function toPostgres({ tables, totals, partitions, audienceGbPerDay }, facts) {
  return [
    ...table(
      [
        'table',
        'rows a day',
        'B',
        'GB a day',
        'GB kept',
        `GB kept, ${ASSUMED.shortRetentionDays} days`,
      ],
      [
        ...tables.map((each) => [
          `\`${each.name}\``,
          each.rowsPerDay === 0 ? '' : number(each.rowsPerDay),
          `${each.bytes}`,
          each.rowsPerDay === 0 ? '' : number(each.gbPerDay),
          number(each.keptGb),
          number(each.keptShortGb),
        ]),
        ['all', '', '', number(totals.gbPerDay), number(totals.keptGb), number(totals.keptShortGb)],
      ],
    ),
    '',
    `"Kept" is with the defaults: messages ${facts.messagesDays} days, campaigns ${facts.campaignsDays}, the inbox ${facts.inboxDays}, the audit log ${facts.auditDays}.`,
    `That is up to ${number(partitions.days)} daily partitions of each of ${partitions.tables} tables; a day is dropped whole, and never deleted row by row.`,
    `A campaign made anew for each send would add ${number(audienceGbPerDay)} GB of \`campaign_users\` a day, which no retention takes: send a standing one again, or delete`,
    'those that are over; their runs stay.',
  ];
}

function toWal({ wal, totals }) {
  const perSecond = (gb) => number((gb * 1000) / 86_400);
  return [
    ...table(
      ['of', 'a day', 'B', 'GB a day', 'whole pages each, at most', 'GB a day, at worst'],
      [
        ...wal.map((part) => [
          part.name,
          number(part.rowsPerDay),
          `${part.bytes}`,
          number(part.gbPerDay),
          `${part.pages}`,
          number(part.worstGbPerDay),
        ]),
        ['all', '', '', number(totals.walGb), '', number(totals.worstWalGb)],
      ],
    ),
    '',
    `That is ${perSecond(totals.walGb)} MB/s over the day, ${perSecond(totals.worstWalGb)} MB/s at worst, and ${ASSUMED.peakFactor} times as much in the busiest minute.`,
  ];
}

function toProcesses({ cores, processes, totals, rates }) {
  return [
    ...table(
      ['at the peak', 'a second', 'api, cores', 'dispatcher, cores', 'PostgreSQL, cores'],
      [
        ...cores.map((each) => [
          each.name,
          number(each.perSecond),
          ...[each.api, each.dispatcher, each.postgres].map((value) =>
            value === 0 ? '' : number(value),
          ),
        ]),
        [
          `processes, a core each used to ${percent(ASSUMED.busyShare)}`,
          '',
          `${processes.api}`,
          `${processes.dispatcher}`,
          `${number(totals.postgresCores)} cores`,
        ],
      ],
    ),
    '',
    `By CPU alone a whole core accepts ${number(rates.accept)} messages/s, sends ${number(rates.messages)} of them, or ${number(rates.campaign)} pushes of a campaign.`,
  ];
}

function toRedis({ redis }, { bench: { storage, campaign } }, facts) {
  return [
    `Behind a backlog of ${number(storage.backlog)} messages Redis holds ${number(redis.backlogKb)} KB. A lane takes ${number(facts.jobs)} jobs of ${number(facts.deliveriesPerJob)} deliveries at most, waiting and delayed ones; what`,
    `is beyond them waits in PostgreSQL: so ${number(redis.mostMb)} MB at worst, however long the backlog is. During a campaign to ${number(campaign.devices)} devices it holds`,
    `${number(redis.campaignKb)} KB, ${number(campaign.redisKbSmall)} KB during one to a tenth of them. At the peak it uses ${number(redis.cores)} of a core.`,
  ];
}

function toConnections({ processes, totals, sessions }, facts) {
  return table(
    ['to', 'connections', 'how'],
    [
      [
        'PostgreSQL',
        `${totals.connections}`,
        `${processes.api} + ${processes.dispatcher} processes with a pool of ${facts.poolSize} each, at most`,
      ],
      [
        'APNs',
        `${sessions.apns}`,
        `${number(sessions.apnsInFlight)} pushes under way; a dispatcher opens up to ${sessions.apnsPerDispatcher} per app`,
      ],
      [
        'FCM',
        `${sessions.fcm}`,
        `${number(sessions.fcmInFlight)} pushes under way; a dispatcher opens up to ${sessions.fcmPerDispatcher} per service account, so ${sessions.dispatchersForFcm} of them suffice`,
      ],
    ],
  );
}

function toNetwork({ network }) {
  return [
    `A day's pushes are ${number(network.gbPerDay)} GB to the providers, ${number(network.mbit)} Mbit/s at the peak.`,
  ];
}

function toLimits({ limits, fcm, totals }) {
  return [
    ...table(
      ['what', 'needed', 'there is', 'share'],
      limits.map(({ what, needed, has, unit, share }) => [
        what,
        `${number(needed)} ${unit}`,
        number(has),
        share > 1 ? `**${percent(share)}**` : percent(share),
      ]),
    ),
    '',
    `At Google's quota the day's pushes to FCM take ${number(fcm.hours)} hours with one project, whatever runs here. The disk holds ${number(totals.gbPerDay)} GB more each day until the`,
    'retention takes the first of them.',
  ];
}

/** Three digits that count, in groups of thousands. */
export function number(value) {
  return value.toLocaleString('en', { maximumSignificantDigits: value < 100 ? 2 : 3 });
}

export function percent(share) {
  return `${number(share * 100)} %`;
}

function table(head, rows) {
  const widths = head.map((cell, n) =>
    Math.max(3, ...[cell, ...rows.map((row) => row[n])].map(({ length }) => length)),
  );
  const line = (cells) => `| ${cells.map((cell, n) => cell.padEnd(widths[n])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
