import { parseArgs, type ParseArgsConfig } from 'node:util';

import { UsageError } from './command.ts';

interface OptionsConfig<T> {
  args: string[];
  options: T;
  allowPositionals: boolean;
}

/** The options of a command by their names; `positionals` says whether anything may stand beside them. Refuses what is neither. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
  { positionals = false }: { readonly positionals?: boolean } = {},
): ReturnType<typeof parseArgs<OptionsConfig<T>>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: positionals });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Refuses what is missing or empty. */
export function required(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing.`);
  return value;
}
