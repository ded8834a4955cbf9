import { readFileSync } from 'node:fs';

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Everything that is wrong with the environment, one mistake a line. */
export class ConfigError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(['The environment is not as we need it:', ...mistakes].join('\n  - '));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/**
 * Reads variables, where an empty one counts as not set. A mistake gives a stand-in value and is kept for
 * `finish`, so that one start reports all of them. Values of URLs and files are secret and not repeated.
 */
export class EnvReader {
  readonly #env: NodeJS.ProcessEnv;
  readonly #mistakes: string[] = [];

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  str(name: string, fallback?: string): string {
    return this.optional(name) ?? fallback ?? this.#mistake('', `${name} is not set`);
  }

  optional(name: string): string | undefined {
    return this.#env[name] || undefined;
  }

  /** An absolute URL, as it was given. */
  url(name: string, fallback?: string): string {
    const value = this.str(name, fallback);
    if (value !== '' && !URL.canParse(value)) this.#mistake('', `${name} is not a URL`);
    return value;
  }

  optionalUrl(name: string): string | undefined {
    return this.optional(name) === undefined ? undefined : this.url(name);
  }

  int(name: string, fallback?: number, { min, max }: Range = {}): number {
    const value = this.str(name, fallback?.toString());
    if (value === '') return 0;
    if (!/^-?\d{1,15}$/.test(value))
      return this.#mistake(0, `${name}=${value} is not a whole number`);
    const number = Number(value);
    if (min !== undefined && number < min) this.#mistake(0, `${name}=${value} is below ${min}`);
    if (max !== undefined && number > max) this.#mistake(0, `${name}=${value} is above ${max}`);
    return number;
  }

  /** A decimal number, such as a share. */
  number(name: string, fallback: number, { min, max }: Range = {}): number {
    const value = this.str(name, fallback.toString());
    const number = /^\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isNaN(number)) return this.#mistake(fallback, `${name}=${value} is not a number`);
    if (min !== undefined && number < min) this.#mistake(0, `${name}=${value} is below ${min}`);
    if (max !== undefined && number > max) this.#mistake(0, `${name}=${value} is above ${max}`);
    return number;
  }

  bool(name: string, fallback?: boolean): boolean {
    return (
      this.oneOf(name, ['true', 'false'], fallback === undefined ? undefined : `${fallback}`) ===
      'true'
    );
  }

  oneOf<T extends string>(name: string, values: readonly [T, ...T[]], fallback?: T): T {
    const value = this.str(name, fallback);
    const known = values.find((one) => one === value);
    if (known !== undefined) return known;
    if (value !== '') this.#mistake('', `${name}=${value} is none of ${values.join(', ')}`);
    return values[0];
  }

  /** The contents of the file that the variable names. */
  file(name: string): Buffer {
    const path = this.str(name);
    return path === '' ? Buffer.alloc(0) : this.#read(name, path);
  }

  optionalFile(name: string): Buffer | undefined {
    return this.optional(name) === undefined ? undefined : this.file(name);
  }

  /** A secret, from the variable or from the file that `NAME_FILE` names, without a line's end. Undefined where neither is set. */
  secret(name: string): string | undefined {
    const given = this.optional(name);
    const fileName = `${name}_FILE`;
    if (this.optional(fileName) === undefined) return given;
    if (given !== undefined) return this.#mistake(given, `${name} and ${fileName} are both set`);
    return this.file(fileName)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }

  /** For a rule over several variables that the caller checked by itself. */
  refuse(mistake: string): void {
    this.#mistakes.push(mistake);
  }

  /** Gives the configuration back, or throws a ConfigError with every mistake made until now. */
  finish<T>(config: T): T {
    if (this.#mistakes.length > 0) throw new ConfigError(this.#mistakes);
    return config;
  }

  #read(name: string, path: string): Buffer {
    try {
      return readFileSync(path);
    } catch (error) {
      return this.#mistake(Buffer.alloc(0), `${name} cannot be read: ${String(error)}`);
    }
  }

  #mistake<T>(standIn: T, mistake: string): T {
    this.#mistakes.push(mistake);
    return standIn;
  }
}
