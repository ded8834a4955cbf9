// Ports of this machine's loopback interface.

import { connect, createServer } from 'node:net';
import { until } from './pids.mjs';

const HOST = '127.0.0.1';

/** A port that was free a moment ago. */
export function freePort() {
  return listenOnce(0);
}

/** Whether we could listen on this port now. */
export async function isFree(port) {
  return (await listenOnce(port).catch(() => undefined)) === port;
}

/** Resolves once the URL answers 2xx; rejects with the last answer when it doesn't in time. */
export async function waitForHttp(url, timeoutMs) {
  let last = 'no answer';
  const isUp = async () => {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      last = `${answer.status} ${await answer.text()}`;
      return answer.ok;
    } catch (error) {
      last = String(error.cause ?? error);
      return false;
    }
  };
  if (await until(isUp, timeoutMs)) return;
  throw new Error(`${url} is not up after ${timeoutMs} ms: ${last}`);
}

/** Sends a text and resolves with the first answer to all of it that ends a line; empty when nobody answers. */
export function ping(port, text) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    let answer = '';
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve(answer));
    socket.once('connect', () => socket.end(text));
    socket.on('data', (bytes) => (answer += bytes));
  });
}

function listenOnce(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, HOST, () => {
      const bound = server.address().port;
      server.close(() => resolve(bound));
    });
  });
}
