import { createSocket, type Socket } from 'node:dgram';
import type { LookupOptions } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';

import { createDnsLookup } from './dns-lookup.ts';

const A = 1;
const AAAA = 28;
const SERVER_FAILED = 2;
const NO_SUCH_NAME = 3;

/** Addresses, an error's code, or nothing at all. */
type DnsAnswer = readonly Buffer[] | number | undefined;

let server: Socket;
let answers: Readonly<Record<number, DnsAnswer>>;
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createSocket('udp4', (question, { port, address }) => {
    const { name, type } = readQuestion(question);
    asked.push(`${name} ${type}`);
    const answer = answers[type];
    if (answer !== undefined) server.send(toAnswer(question, answer), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

/** What node would connect to, or the code of the error. */
function ask(options: LookupOptions = { all: true }): Promise<unknown> {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  return new Promise((resolve) => {
    createDnsLookup(resolver)('push.example.com', options, (error, address, family) => {
      if (error) return resolve(error.code);
      resolve(typeof address === 'string' ? `${address} ${family}` : address);
    });
  });
}

const IPV4 = Buffer.from([1, 2, 3, 4]);
const IPV6 = Buffer.from('26064700000000000000000000000001', 'hex');

describe('a lookup by DNS', () => {
  test('finds the addresses of both families, IPv4 first', async () => {
    answers = { [A]: [IPV4, Buffer.from([5, 6, 7, 8])], [AAAA]: [IPV6] };

    expect(await ask()).toEqual([
      { address: '1.2.3.4', family: 4 },
      { address: '5.6.7.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
    expect(await ask({})).toBe('1.2.3.4 4');
    expect(new Set(asked)).toEqual(new Set(['push.example.com 1', 'push.example.com 28']));
  });

  test.each<[string, DnsAnswer]>([
    ['has none', []],
    ['is not answered for', undefined],
    ['fails', SERVER_FAILED],
  ])('does with one family where the other %s', async (_, other) => {
    answers = { [A]: [IPV4], [AAAA]: other };
    const ipv4 = await ask();
    answers = { [A]: other, [AAAA]: [IPV6] };

    expect(ipv4).toEqual([{ address: '1.2.3.4', family: 4 }]);
    expect(await ask()).toEqual([{ address: '2606:4700::1', family: 6 }]);
  });

  test.each<[string, DnsAnswer, DnsAnswer]>([
    ['ENOTFOUND', NO_SUCH_NAME, NO_SUCH_NAME],
    ['ENOTFOUND', [], []],
    ['ESERVFAIL', SERVER_FAILED, NO_SUCH_NAME],
    ['ESERVFAIL', [], SERVER_FAILED],
    ['ETIMEOUT', undefined, []],
  ])('says %s for the answers %j and %j', async (code, ofA, ofAaaa) => {
    answers = { [A]: ofA, [AAAA]: ofAaaa };

    expect(await ask()).toBe(code);
  });
});

function readQuestion(question: Buffer): { name: string; type: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question.readUInt8(at); length > 0; length = question.readUInt8(at)) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: question.readUInt16BE(at + 1) };
}

/** RFC 1035: the question again, and a record for each address. */
function toAnswer(question: Buffer, answer: readonly Buffer[] | number): Buffer {
  const addresses = typeof answer === 'number' ? [] : answer;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const end = question.indexOf(0, 12) + 5;
  const { type } = readQuestion(question);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(address.length, 10);
    return Buffer.concat([record, address]);
  });
  return Buffer.concat([head, question.subarray(12, end), ...records]);
}
