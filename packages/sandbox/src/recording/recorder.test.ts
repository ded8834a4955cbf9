import { ReceivedPush } from './received-push.ts';
import { Recorder } from './recorder.ts';

interface Fields {
  readonly token?: string;
  readonly id?: string;
  readonly status?: number;
}

function push({ token = 'ab', id, status = 200 }: Fields = {}): ReceivedPush {
  const headers = { 'apns-topic': 'com.example.app', ...(id && { 'apns-id': id }) };
  const answer = { kind: 'accept', status } as const;
  return new ReceivedPush({ provider: 'apns', at: 1, token, headers, answer }, '{"aps":{}}');
}

describe('Recorder', () => {
  test('keeps the last ones in order and counts them all', () => {
    const recorder = new Recorder(2);

    for (const token of ['a1', 'a2', 'a3', 'a4', 'a5']) recorder.record(push({ token }));
    recorder.record(push({ token: 'a6', status: 410 }));

    expect(recorder.list().map(({ token }) => token)).toEqual(['a5', 'a6']);
    expect(recorder.totals('apns')).toEqual({ count: 6, accepted: 5, duplicates: 0 });
    expect(recorder.totals('fcm').count).toBe(0);
    expect([recorder.acceptedFor('a4'), recorder.acceptedFor('a5')]).toEqual([0, 1]);
  });

  test('counts an apns-id that was accepted twice, and no other repeat', () => {
    const recorder = new Recorder(10);

    recorder.record(push({ id: 'one', status: 503 }));
    recorder.record(push({ id: 'one' }));
    recorder.record(push({ id: 'two' }));
    recorder.record(push({ id: 'one' }));
    recorder.record(push());
    recorder.record(push());

    expect(recorder.totals('apns')).toEqual({ count: 6, accepted: 5, duplicates: 1 });
  });

  test('can count without keeping anything', () => {
    const recorder = new Recorder(0);

    recorder.record(push());

    expect(recorder.list()).toEqual([]);
    expect(recorder.totals('apns').accepted).toBe(1);
  });

  test.each([
    [{ provider: 'fcm' }, 0],
    [{ provider: 'apns' }, 1],
    [{ token: 'ab' }, 1],
    [{ apnsTopic: 'com.example.other' }, 0],
    [{ apnsId: 'one' }, 1],
    [{ accepted: false }, 0],
    [{ environment: 'production' }, 0],
  ] as const)('finds pushes by %o', (filter, count) => {
    const recorder = new Recorder(10);

    recorder.record(push({ id: 'one' }));

    expect(recorder.list(filter)).toHaveLength(count);
  });

  test('waits for a number of pushes, counting those that are there', async () => {
    const recorder = new Recorder(10);
    recorder.record(push());

    const waiting = recorder.waitFor(2, { token: 'ab' }, 1_000);
    recorder.record(push({ token: 'cd' }));
    recorder.record(push());

    expect(await waiting).toHaveLength(2);
  });

  test('waits for a push that fits', async () => {
    const recorder = new Recorder(10);

    const waiting = recorder.waitFor(({ accepted }) => !accepted, {}, 1_000);
    recorder.record(push());
    recorder.record(push({ status: 410 }));

    expect(await waiting).toHaveLength(2);
  });

  test('gives up after the timeout', async () => {
    const recorder = new Recorder(10);

    await expect(recorder.waitFor(1, {}, 5)).rejects.toThrow('did not arrive in 5 ms');
  });

  test('starts anew when cleared', () => {
    const recorder = new Recorder(10);
    recorder.record(push({ id: 'one' }));

    recorder.clear();
    recorder.record(push({ id: 'one' }));

    expect(recorder.totals('apns')).toEqual({ count: 1, accepted: 1, duplicates: 0 });
  });
});
