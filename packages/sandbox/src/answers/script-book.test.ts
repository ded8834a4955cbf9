import type { Answer, PushTarget } from './answer.ts';
import { ScriptBook } from './script-book.ts';

const refuse = (reason: string, times?: number | 'always'): Answer => ({
  kind: 'refuse',
  reason,
  ...(times && { times }),
});

const reasonsOf = (book: ScriptBook, target: PushTarget, count: number) =>
  Array.from({ length: count }, () => {
    const answer = book.take(target);
    return answer?.kind === 'refuse' ? answer.reason : answer?.kind;
  });

describe('ScriptBook', () => {
  const push: PushTarget = { provider: 'apns', token: 'abcd', environment: 'production' };
  test('gives each answer as often as it says', () => {
    const book = new ScriptBook();

    book.add('apns', { token: 'ab' }, [refuse('a'), refuse('b', 2)]);

    expect(reasonsOf(book, push, 4)).toEqual(['a', 'b', 'b', undefined]);
  });

  test('appends to a script for the same target', () => {
    const book = new ScriptBook();

    book.add('apns', { token: 'ab' }, [refuse('a')]);
    book.add('apns', { token: 'ab' }, [refuse('b', 'always')]);

    expect(reasonsOf(book, push, 3)).toEqual(['a', 'b', 'b']);
  });

  test('prefers the longer token, then the newer script', () => {
    const book = new ScriptBook();

    book.add('apns', { token: 'abcd' }, [refuse('whole')]);
    book.add('apns', {}, [refuse('all', 'always')]);
    book.add('apns', { environment: 'production' }, [refuse('newer')]);

    expect(reasonsOf(book, push, 3)).toEqual(['whole', 'newer', 'all']);
  });

  test.each([
    [{ token: 'abce' }],
    [{ environment: 'development' }],
    [{ apnsTopic: 'com.example.app' }],
    [{ projectId: 'p' }],
  ])('does not take a push for %o', (target) => {
    const book = new ScriptBook();

    book.add('apns', target, [refuse('a')]);

    expect(book.take(push)).toBeUndefined();
  });
});
