import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { FLAG, FRAME } from './frames.ts';
import { RequestTemplate } from './request-template.ts';
import {
  frame,
  IDENTITY,
  OK,
  settingsFrame,
  TestServers,
  trySend,
  uint32,
  type Sent,
} from './test-servers.ts';

const servers = new TestServers();

const workers: Worker[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  await servers.close();
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

const answer = (streamId: number) =>
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, OK);
const goaway = (lastStreamId: number, code = 0, debug = '') =>
  frame(FRAME.goaway, 0, 0, Buffer.concat([uint32(lastStreamId, code), Buffer.from(debug)]));
const windowUpdate = (streamId: number, bytes: number) =>
  frame(FRAME.windowUpdate, 0, streamId, uint32(bytes));

const NOT_WRITTEN = { kind: 'unprocessed', reason: 'not_written' };
const UNPROCESSED = { kind: 'unprocessed', reason: 'goaway' };

describe('a request whose connection ends', () => {
  test('is unprocessed where none of it was handed to the socket', async () => {
    const { probe } = await servers.pair();
    const sent = [probe.send(), probe.send()];

    probe.connection.destroy('why');
    probe.connection.destroy('again');

    expect(sent.map(({ ends }) => ends)).toEqual([[NOT_WRITTEN], [NOT_WRITTEN]]);
    expect(probe.closes).toEqual(['why']);
  });

  test('is ambiguous where it was', async () => {
    const { probe, peer } = await servers.pair();
    const sent = probe.send();
    await peer.receiveType(FRAME.data, 1);

    probe.connection.destroy('why');

    expect(sent.ends).toEqual([{ kind: 'ambiguous', reason: 'why' }]);
  });

  test('is ambiguous where a part of it was, and the rest is in our buffer still', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 1_000_000 }));
    peer.send(windowUpdate(0, 1_000_000));
    await peer.settle();
    const sent = [probe.send({ body: Buffer.alloc(200_000) }), probe.send()];

    probe.connection.destroy('why');

    expect(sent.map(({ ends }) => ends)).toEqual([
      [{ kind: 'ambiguous', reason: 'why' }],
      [NOT_WRITTEN],
    ]);
  });

  test('is not written any more once its server has broken the rules', async () => {
    const { probe, peer } = await servers.pair();
    let second: Sent | undefined;
    const first = probe.send({ onEnd: () => (second = probe.send()) });
    await peer.receiveType(FRAME.data, 1);

    peer.send(answer(1), frame(FRAME.ping, 0, 0));

    expect(await first.ended).toMatchObject({ kind: 'answered', status: 200 });
    expect(await second?.ended).toEqual(NOT_WRITTEN);
    await peer.receiveType(FRAME.goaway);
    expect(peer.frames.filter(({ type }) => type === FRAME.headers)).toHaveLength(1);
  });

  test('may destroy it while it is told its end', async () => {
    const { probe, peer } = await servers.pair();
    const first = probe.send({ onEnd: () => probe.connection.destroy('enough') });
    const second = probe.send();
    await peer.receiveType(FRAME.data, 3);

    peer.send(answer(1), answer(3), frame(FRAME.ping, 0, 0));

    expect(await probe.closed).toBe('enough');
    expect(first.ends).toMatchObject([{ kind: 'answered', status: 200 }]);
    expect(second.ends).toEqual([{ kind: 'ambiguous', reason: 'enough' }]);
  });
});

describe('a request and its deadline', () => {
  test('is reset and ambiguous, and others go on', async () => {
    const { probe, peer } = await servers.pair();
    const silent = probe.send({ deadlineMs: 1 });
    const other = probe.send();

    const { streamId, payload } = await peer.receiveType(FRAME.rstStream);
    peer.send(answer(3));

    expect([streamId, payload]).toEqual([1, uint32(8)]);
    expect(await other.ended).toMatchObject({ kind: 'answered' });
    expect(silent.ends).toEqual([{ kind: 'ambiguous', reason: 'timeout' }]);
  });

  test('keeps the status where it came in time, and the body did not', async () => {
    const { probe, peer } = await servers.pair();
    const sent = probe.send({ deadlineMs: 60_000 });
    await peer.receiveType(FRAME.headers, 1);

    peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, OK));
    await peer.settle();
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000);

    expect(await sent.ended).toMatchObject({ kind: 'answered', status: 200, isComplete: false });
  });

  test('counts an answer as in time that waited in the socket while this process was busy', async () => {
    const isWritten = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(ANSWERING_WORKER, {
      eval: true,
      workerData: { cert: IDENTITY.certPem, key: IDENTITY.keyPem, isWritten },
    });
    workers.push(worker);
    const [port] = (await once(worker, 'message')) as [number];
    const probe = await servers.connect(port);
    const sent = probe.send({ deadlineMs: 60_000 });
    await once(worker, 'message');

    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none.
    worker.postMessage('answer');
    Atomics.wait(isWritten, 0, 0);
    // Longer than the period of the look at deadlines, which then is due at once.
    Atomics.wait(isWritten, 0, 1, 100);
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000);

    expect(await sent.ended).toMatchObject({ kind: 'answered', status: 200 });
  });
});

/** Answers stream 1 when it is told to, and says when the answer is with the kernel. */
const ANSWERING_WORKER = `
  const { parentPort, workerData: { cert, key, isWritten } } = require('node:worker_threads');
  const server = require('node:tls').createServer({ cert, key, ALPNProtocols: ['h2'] }, (socket) => {
    socket.write(Buffer.from('000000040000000000', 'hex'));
    let bytes = 0;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      // The preface, our settings and the like are shorter.
      if (bytes < 100 && (bytes += data.length) >= 100) parentPort.postMessage('received');
    });
    parentPort.once('message', () => {
      socket.write(Buffer.from('000001010500000001' + '88', 'hex'), () => {
        Atomics.store(isWritten, 0, 1);
        Atomics.notify(isWritten, 0);
      });
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe('GOAWAY', () => {
  test('ends at once what the server did not take, and waits for the answers of what it did', async () => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()];
    await peer.receiveType(FRAME.data, 3);

    peer.send(goaway(1, 11, '{"reason":"Shutdown"}'));

    expect(await second?.ended).toEqual(UNPROCESSED);
    expect(probe.goaways).toEqual([
      { code: 'ENHANCE_YOUR_CALM', lastStreamId: 1, debug: '{"reason":"Shutdown"}' },
    ]);
    expect(probe.connection).toMatchObject({ state: 'draining', capacity: 0, inFlight: 1 });
    expect(trySend(probe.connection)).toBeUndefined();
    peer.send(answer(1));
    expect(await first?.ended).toMatchObject({ kind: 'answered', status: 200 });
    expect(await probe.closed).toBe('closing');
    expect((await peer.receiveType(FRAME.goaway)).payload).toEqual(uint32(0, 0));
  });

  test('may come in two steps', async () => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()];
    await peer.receiveType(FRAME.data, 3);

    peer.send(goaway(2 ** 31 - 1));
    await peer.settle();
    expect(probe.connection).toMatchObject({ state: 'draining', inFlight: 2 });
    peer.send(goaway(1), answer(1));

    expect(await second?.ended).toEqual(UNPROCESSED);
    expect(await first?.ended).toMatchObject({ kind: 'answered' });
    expect(probe.goaways.map(({ lastStreamId }) => lastStreamId)).toEqual([2 ** 31 - 1, 1]);
    expect(await probe.closed).toBe('closing');
  });

  test('does not make unprocessed what has a status already', async () => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()];
    await peer.receiveType(FRAME.data, 3);

    peer.send(frame(FRAME.headers, FLAG.endHeaders, 3, OK), goaway(1), answer(1));

    expect(await second?.ended).toMatchObject({ kind: 'answered', status: 200, isComplete: false });
    expect(await first?.ended).toMatchObject({ kind: 'answered', isComplete: true });
  });

  test('right behind the settings is a connection that there never was', async () => {
    const port = await servers.raw((peer) => peer.send(settingsFrame(), goaway(0, 11)));
    const events = { onCapacity: jest.fn(), onGoaway: jest.fn(), onClose: jest.fn() };

    const connecting = servers.connect(port, { events });

    await expect(connecting).rejects.toMatchObject({ name: 'ConnectError', code: 'goaway' });
    expect(events.onGoaway).toHaveBeenCalledWith({
      code: 'ENHANCE_YOUR_CALM',
      lastStreamId: 0,
      debug: '',
    });
    expect(events.onClose).not.toHaveBeenCalled();
  });

  test('closes an idle connection', async () => {
    const { probe, peer } = await servers.pair();

    peer.send(goaway(0));

    expect(await probe.closed).toBe('closing');
  });
});

describe('drain', () => {
  test('takes no more, waits for what is owed, and closes', async () => {
    const { probe, peer } = await servers.pair();
    const sent = probe.send();
    await peer.receiveType(FRAME.data, 1);

    const drained = probe.connection.drain(60_000);
    expect(probe.connection).toMatchObject({ state: 'draining', capacity: 0 });
    peer.send(answer(1));
    await drained;

    expect(sent.ends).toMatchObject([{ kind: 'answered' }]);
    expect(probe.closes).toEqual(['closing']);
    await probe.connection.drain(60_000);
  });

  test('gives up what is owed when the time is over', async () => {
    const { probe, peer } = await servers.pair();
    const sent = probe.send();
    await peer.receiveType(FRAME.data, 1);

    await probe.connection.drain(1);

    expect(sent.ends).toEqual([{ kind: 'ambiguous', reason: 'closing' }]);
  });
});

describe('ping', () => {
  test('says whether the server answers in time', async () => {
    const { probe, peer } = await servers.pair();
    const [late, answered] = [probe.connection.ping(1), probe.connection.ping(60_000)];
    await peer.receive(({ type, payload }) => type === FRAME.ping && payload[7] === 1);

    expect(await late).toBe(false);
    peer.send(
      frame(FRAME.ping, FLAG.ack, 0, uint32(0, 0)),
      frame(FRAME.ping, FLAG.ack, 0, uint32(0, 77)),
      frame(FRAME.ping, FLAG.ack, 0, uint32(0, 1)),
    );

    expect(await answered).toBe(true);
  });

  test('is answered no with the connection, and at once after it', async () => {
    const { probe } = await servers.pair();
    const asked = probe.connection.ping(60_000);

    probe.connection.destroy('why');

    expect(await asked).toBe(false);
    expect(await probe.connection.ping(60_000)).toBe(false);
  });
});

describe('back-pressure', () => {
  test('comes from the stream limit, which may change at any time', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ maxConcurrentStreams: 1 }));
    const first = probe.send();

    expect([probe.connection.capacity, trySend(probe.connection)]).toEqual([0, undefined]);
    peer.send(settingsFrame({ maxConcurrentStreams: 3 }));
    await probe.hasCapacity();
    expect(probe.connection.capacity).toBe(2);
    peer.send(settingsFrame({ maxConcurrentStreams: 0 }), answer(1));
    await first.ended;

    expect(probe.connection).toMatchObject({ capacity: 0, maxStreams: 0, state: 'open' });
  });

  test('comes from a socket that does not get rid of what it has, and goes with that', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 2 ** 31 - 1 }));
    peer.send(windowUpdate(0, 2 ** 30));
    await peer.settle();
    peer.socket.pause();
    const body = Buffer.alloc(16_000);

    // As long as the kernel takes it there is capacity; then there is none, with far fewer than 1,000 streams.
    const sent: Sent[] = [];
    while (probe.connection.capacity > 0 && sent.length < 900) {
      const next = trySend(probe.connection, { body });
      if (next !== undefined) sent.push(next);
    }
    expect(sent.length).toBeLessThan(20);
    peer.socket.resume();
    await probe.hasCapacity();

    expect(probe.connection.capacity).toBe(1000 - sent.length);
  });

  test('comes from the window of the connection, and goes with it', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 1_000_000 }));
    probe.send({ body: Buffer.alloc(65_535) });

    expect(probe.connection.capacity).toBe(0);
    peer.send(windowUpdate(0, 10));
    await probe.hasCapacity();

    expect(probe.connection.capacity).toBe(999);
  });

  test('does not come from a stream whose own window is used up', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 10 }));
    const first = probe.send({ body: 'x'.repeat(25) });
    const second = probe.send({ body: 'y'.repeat(25) });
    await peer.receiveType(FRAME.data, 3);

    peer.send(windowUpdate(3, 15));
    await peer.receive(
      ({ type, flags, streamId }) => type === FRAME.data && flags === 1 && streamId === 3,
    );
    peer.send(answer(3));

    expect(await second.ended).toMatchObject({ kind: 'answered' });
    expect(first.ends).toEqual([]);
    expect(bodyOf(peer.frames, 3)).toBe('y'.repeat(25));
    expect(bodyOf(peer.frames, 1)).toBe('x'.repeat(10));
  });
});

describe('the windows of the peer', () => {
  test('may become negative, and the body goes on when they are positive again', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 20 }));
    const sent = probe.send({ body: 'x'.repeat(50) });
    const empty = probe.send({ body: '' });
    await peer.receiveType(FRAME.headers, 3);

    // 20 are sent: −15, then 0, then 10.
    peer.send(settingsFrame({ initialWindowSize: 5 }), windowUpdate(1, 15));
    await peer.settle();
    expect(bodyOf(peer.frames, 1)).toHaveLength(20);
    const another = probe.send({ body: '' });
    peer.send(windowUpdate(1, 10));
    await peer.settle();
    expect(bodyOf(peer.frames, 1)).toHaveLength(30);
    peer.send(settingsFrame({ initialWindowSize: 100 }));
    await peer.settle();
    expect(bodyOf(peer.frames, 1)).toBe('x'.repeat(50));
    peer.send(answer(1), answer(3), answer(5));

    const ends = await Promise.all([sent.ended, empty.ended, another.ended]);
    expect(ends.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
  });

  test('stop a body that the server has answered already', async () => {
    const { probe, peer } = await servers.pair(settingsFrame({ initialWindowSize: 10 }));
    const sent = probe.send({ body: 'x'.repeat(25) });
    await peer.receiveType(FRAME.data, 1);

    peer.send(answer(1), windowUpdate(1, 100));

    expect(await sent.ended).toMatchObject({ kind: 'answered', status: 200, isComplete: true });
    expect((await peer.receiveType(FRAME.rstStream, 1)).payload).toEqual(uint32(8));
    await peer.settle();
    expect(bodyOf(peer.frames, 1)).toHaveLength(10);
  });
});

describe('what is sent', () => {
  test('is cut into frames as long as the server takes', async () => {
    const { probe, peer } = await servers.pair();
    const value = 'v'.repeat(40_000);

    probe.send({ fields: [['x-long', value]], body: 'x'.repeat(40_000) });
    await peer.receive(({ type, flags }) => type === FRAME.data && flags === FLAG.endStream);

    const frames = peer.frames.filter(({ streamId }) => streamId === 1);
    expect(frames.map(({ type }) => type)).toEqual([1, 9, 9, 0, 0, 0]);
    expect(frames.map(({ flags }) => flags)).toEqual([0, 0, 4, 0, 0, 1]);
    expect(Math.max(...frames.map(({ payload }) => payload.length))).toBe(16_384);
  });

  test('is nothing where a header is not ASCII, and the connection goes on', async () => {
    const { probe, peer } = await servers.pair();
    const template = new RequestTemplate({
      method: 'POST',
      authority: 'x',
      own: [['a', 'b\r\nc']],
    });

    expect(() => probe.send({ path: '/é' })).toThrow(TypeError);
    expect(() => probe.send({ template })).toThrow(TypeError);
    expect(probe.connection.inFlight).toBe(0);
    const sent = probe.send();
    await peer.receiveType(FRAME.data, 1);
    peer.send(answer(1));

    expect(await sent.ended).toMatchObject({ kind: 'answered' });
  });
});

function bodyOf(
  frames: readonly { type: number; streamId: number; payload: Buffer }[],
  streamId: number,
): string {
  const pieces = frames.filter((it) => it.type === FRAME.data && it.streamId === streamId);
  return Buffer.concat(pieces.map(({ payload }) => payload)).toString();
}
