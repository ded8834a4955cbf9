import { constants } from 'node:http2';

import { FaultPlan, type Fault } from './fault-plan.ts';

function plan(requests: number, mayGoAway: (n: number) => boolean = () => true): Fault[] {
  const faults = new FaultPlan();
  return Array.from({ length: requests }, (_, n) => faults.next(mayGoAway(n)));
}

function count(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe('the faults of a soak', () => {
  test('strike one request of a hundred each', () => {
    expect(count(plan(2_000))).toEqual({ none: 1_940, slow: 20, reset: 20, goaway: 20 });
  });

  test('make a farewell wait for a connection that can go away', () => {
    const faults = plan(300, (n) => n >= 290);

    expect(faults.flatMap(({ kind }, n) => (kind === 'goaway' ? [n] : []))).toEqual([
      290, 291, 292,
    ]);
  });

  test('make one late answer of ten too late', () => {
    const late = plan(3_000).filter((fault) => fault.kind === 'slow' && fault.isTooLate);

    expect(late).toHaveLength(3);
  });

  test('let connections go away gracefully, hard, and now and then without a word to those that wait', () => {
    const manners = plan(4_000).flatMap((fault) => (fault.kind === 'goaway' ? [fault.manner] : []));

    expect(manners.filter((manner) => manner === 'hard')).toHaveLength(20);
    expect(manners.filter((manner) => manner === 'graceful')).toHaveLength(18);
    expect(manners.filter((manner) => manner === 'cut')).toHaveLength(2);
  });

  test('reset streams for every reason, accepted and not, but never accept what they call refused', () => {
    const resets = plan(2_800).flatMap((fault) => (fault.kind === 'reset' ? [fault] : []));
    const listCodes = (accepted: boolean) =>
      resets.flatMap(({ code, isAccepted }) => (isAccepted === accepted ? [code] : []));
    const codes = Array.from({ length: 14 }, (_, code) => code);

    expect(new Set(listCodes(false))).toEqual(new Set(codes));
    expect(listCodes(true)).toEqual(
      codes.filter((code) => code !== constants.NGHTTP2_REFUSED_STREAM),
    );
  });
});
