import { withDeadline } from './deadline.ts';

const never = () => new Promise<string>(() => undefined);
const late = (lateness: string) => lateness;
const failWhenLate = (deadline: AbortSignal) =>
  new Promise<string>((_, reject) => {
    deadline.addEventListener('abort', () => reject(new Error('aborted')));
  });

test('work in time is answered as it is', async () => {
  const { signal } = new AbortController();

  expect(await withDeadline({ ms: 1_000, signal, late }, () => Promise.resolve('done'))).toBe(
    'done',
  );
});

test('work that is late is told so, and its failure goes unseen', async () => {
  const { signal } = new AbortController();

  expect(await withDeadline({ ms: 10, signal, late }, failWhenLate)).toBe('timeout');
});

test('the caller may give up, also beforehand', async () => {
  const controller = new AbortController();
  const sending = withDeadline({ ms: 1_000, signal: controller.signal, late }, never);

  controller.abort();

  expect(await sending).toBe('aborted');
  expect(await withDeadline({ ms: 1_000, signal: controller.signal, late }, never)).toBe('aborted');
});

test('a bug of ours is not hidden', async () => {
  const { signal } = new AbortController();

  await expect(
    withDeadline({ ms: 1_000, signal, late }, () => Promise.reject(new Error('bug'))),
  ).rejects.toThrow('bug');
});
