import { TARGETED } from '@heliograph/db';
import { eventually } from '@heliograph/testing';

import {
  MISSING,
  NO_SUCH_CAMPAIGN,
  DATE,
  refusal,
  createCampaignCalls,
} from '../../../test/campaign-calls.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import type { RunProgressAnswer } from './run-endpoints.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const { createCampaign, live, startCampaign, setRun, finish, count } = createCampaignCalls(
  () => api,
);

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: RunProgressAnswer;
}

/** Someone who watches a run. */
interface Reader {
  readonly answer: Response;
  /** The next event; undefined when the stream ended. */
  next(): Promise<Event | undefined>;
  leave(): void;
}

async function openReader(from: TestApi, path: string): Promise<Reader> {
  const abort = new AbortController();
  const answer = await fetch(from.url + path, { signal: abort.signal });
  const parts = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    answer,
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const lines = text.slice(0, end).split('\n');
          text = text.slice(end + 2);
          const fields = new Map(lines.map((line) => line.split(/: (.*)/s) as [string, string]));
          if (!fields.has('event')) continue;
          return {
            event: fields.get('event') ?? '',
            id: fields.get('id') ?? '',
            data: JSON.parse(fields.get('data') ?? ''),
          };
        }
        const part = await parts?.read();
        if (part?.value === undefined) return undefined;
        text += part.value;
      }
    },
    leave: () => abort.abort(),
  };
}

describe('GET /push/campaign/{id}/run/events', () => {
  const watch = (id: number, query = '') =>
    openReader(api, `/push/campaign/${id}/run/events${query}`);

  test('tells the progress at once, then what changed, then the end, and closes', async () => {
    const { id, runId } = await startCampaign();
    const reader = await watch(id);

    const first = await reader.next();
    await setRun(runId, { state: 'running' });
    const second = await reader.next();
    await count(runId, [['fcm', TARGETED, 3]]);
    const third = await reader.next();
    await finish(runId);
    const rest = [await reader.next(), await reader.next(), await reader.next()];

    expect(first).toEqual({
      event: 'progress',
      id: '1',
      data: expect.objectContaining({ runId, state: 'scheduled' }),
    });
    expect(second).toMatchObject({ event: 'progress', id: '2', data: { state: 'running' } });
    expect(third).toMatchObject({ id: '3', data: { counts: { total: { pending: 3 } } } });
    expect(rest).toMatchObject([
      { event: 'progress', id: '4', data: { state: 'completed', timestampFinished: DATE } },
      { event: 'end', id: '5', data: { runId, state: 'completed' } },
      undefined,
    ]);
    const headers = ['content-type', 'cache-control', 'x-accel-buffering'];
    expect(headers.map((name) => reader.answer.headers.get(name))).toEqual([
      'text/event-stream',
      'no-store',
      'no',
    ]);
  });

  test('of a run that is over tells its progress and ends', async () => {
    const { id, runId } = await startCampaign();
    await finish(runId);
    await live(id, { resend: true });

    const reader = await watch(id, `?runId=${runId}`);

    expect([await reader.next(), await reader.next(), await reader.next()]).toMatchObject([
      { event: 'progress', data: { runId } },
      { event: 'end' },
      undefined,
    ]);
  });

  test('reads all runs that are watched in one look, each once', async () => {
    const [one, other] = [await startCampaign(), await startCampaign()];
    const looked = api.looks.length;

    const readers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => watch(n % 2 === 0 ? one.id : other.id)),
    );
    await Promise.all(readers.map((reader) => reader.next()));
    const expected = [one.runId, other.runId].toSorted();
    await eventually(() => expect(api.looks.at(-1)?.toSorted()).toEqual(expected));
    await finish(one.runId);
    await finish(other.runId);
    for (const reader of readers) while ((await reader.next()) !== undefined);

    const looks = api.looks.slice(looked);
    expect(looks.every((ids) => new Set(ids).size === ids.length)).toBe(true);
  });

  test('refuses what there is not, as any other answer', async () => {
    const answers = [
      await api.get(`/push/campaign/${MISSING}/run/events`),
      await api.get(`/push/campaign/${await createCampaign()}/run/events`),
    ];

    expect(answers).toMatchObject([
      { status: 400, body: refusal(NO_SUCH_CAMPAIGN) },
      { status: 404, body: refusal('The campaign has no run.') },
    ]);
  });

  test('answers HEAD with its headers', async () => {
    const { id } = await startCampaign();

    const answer = await api.call('HEAD', `/push/campaign/${id}/run/events`);

    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.text).toBe('');
  });

  test('refuses more watchers than a process takes, until one goes', async () => {
    const small = await openTestApi({ maxWatches: 1, heartbeatMs: 5 });
    await small.post('/admin/app/create', { appId: 1 });
    const privateKeyBase64 = Buffer.from('a key').toString('base64');
    await small.post('/admin/app/android/update', { appId: 1, projectId: 'p', privateKeyBase64 });
    await small.post('/push/campaign/create', { appId: 1, message: {} });
    await small.post('/push/campaign/send/live/1', null);
    const first = await openReader(small, '/push/campaign/1/run/events');
    await first.next();

    const refused = await small.get('/push/campaign/1/run/events');
    first.leave();
    const second = await eventually(async () => {
      const reader = await openReader(small, '/push/campaign/1/run/events');
      expect(reader.answer.status).toBe(200);
      return reader;
    });

    expect(refused).toMatchObject({ status: 503, body: refusal(undefined, 'ERROR_DATABASE') });
    expect(await second.next()).toMatchObject({ event: 'progress' });
    // The server stops though somebody watches; they hear of no end, and go elsewhere.
    await small.close();
    expect(await second.next()).toBeUndefined();
  });
});
