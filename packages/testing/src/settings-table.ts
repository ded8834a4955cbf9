import { readFileSync } from 'node:fs';

import { ConfigError, EnvReader } from '@heliograph/runtime';

import { inCheckout } from './checkout.ts';

/** The variables of a table of docs/operations.md, each with what its default says; undefined where there is none. */
export function readSettingsTable(heading: string): ReadonlyMap<string, string | undefined> {
  const page = readFileSync(inCheckout('docs/operations.md'), 'utf8');
  const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const settings = new Map<string, string | undefined>();
  for (const [, first = '', second = ''] of section.matchAll(/^\| ([^|]+)\| ([^|]+)\|/gm)) {
    const names = Array.from(first.matchAll(/`([A-Z0-9_]+)`/g), ([, name = '']) => name);
    const defaults = toDefaults(second.trim(), names);
    for (const [n, name] of names.entries()) {
      if (settings.has(name)) throw new Error(`${name} stands twice below ${heading}`);
      settings.set(name, defaults[n]);
    }
  }
  return settings;
}

/** One for all names of a row, or one each with commas between them. */
function toDefaults(text: string, names: readonly string[]): readonly (string | undefined)[] {
  const parts = text.split(', ');
  const each = names.length > 1 && parts.length === names.length ? parts : names.map(() => text);
  return each.map((one) => {
    if (one === '–' || one === 'empty') return undefined;
    return /^`([^`]*)`$/.exec(one)?.[1] ?? one;
  });
}

/**
 * Calls `load` with each environment and answers every variable that it asked for, with its default: the first one that it named, and undefined
 * where that is none or an empty text. What it refuses does not matter, since a reader goes on behind a mistake.
 */
export function recordDefaults(
  environments: readonly NodeJS.ProcessEnv[],
  load: (env: NodeJS.ProcessEnv) => unknown,
): ReadonlyMap<string, string | undefined> {
  const asked = new Map<string, string | undefined>();
  const { prototype } = EnvReader;
  const own = Object.getOwnPropertyDescriptors(prototype);
  const note = (name: string, fallback?: string) => {
    if (asked.get(name) === undefined) asked.set(name, fallback || undefined);
  };
  // Every other method asks one of these two, with its default as a text.
  Object.defineProperties(prototype, {
    str: {
      configurable: true,
      value(this: EnvReader, name: string, fallback?: string): unknown {
        note(name, fallback);
        return own.str.value?.call(this, name, fallback);
      },
    },
    optional: {
      configurable: true,
      value(this: EnvReader, name: string): unknown {
        note(name);
        return own.optional.value?.call(this, name);
      },
    },
  });
  try {
    for (const env of environments) expectMistakes(() => load(env));
  } finally {
    Object.defineProperties(prototype, own);
  }
  return asked;
}

function expectMistakes(load: () => unknown): void {
  try {
    load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}
