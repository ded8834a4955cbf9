import type { LookupFunction } from 'node:net';

/** Answers each question for a name with the next list, and the last one from then on. */
export function answerInTurn(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, options, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all === true) return process.nextTick(callback, null, found);
    process.nextTick(callback, null, found[0]?.address, found[0]?.family);
  };
  return { lookup, asked };
}
