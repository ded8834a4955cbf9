/** One instruction of a Dockerfile, with its continued lines joined. */
export interface Instruction {
  /** In capitals. */
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** An image, or another stage. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile that keeps to what we use: no ARG, no ONBUILD, no here-documents. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of listInstructions(text)) {
    if (instruction.name === 'FROM') {
      const [from = '', , name = ''] = instruction.text.split(/\s+/);
      stages.push({ name, from, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${instruction.name} stands before FROM`);
    stage.instructions.push(instruction);
  }
  return stages;
}

function listInstructions(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), text: rest };
    });
}

/** What a process of the image starts with. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Empty where there is none. */
  readonly healthcheck: readonly string[];
}

/** The stage's settings, with those of the stages that it is made from. */
export function configOf(stages: readonly Stage[], name: string): ImageConfig {
  const all = lineageOf(stages, name).flatMap((stage) => stage.instructions);
  const last = (instruction: string) => all.findLast((one) => one.name === instruction)?.text ?? '';
  const env = all
    .filter((one) => one.name === 'ENV')
    .flatMap(({ text }) => text.split(/\s+/).map((pair) => pair.split('=', 2)));
  return {
    env: Object.fromEntries(env) as Record<string, string>,
    user: last('USER'),
    entrypoint: toWords(last('ENTRYPOINT')),
    command: toWords(last('CMD')),
    healthcheck: toWords(last('HEALTHCHECK').replace(/^.*?CMD\s+/, '')),
  };
}

/** The stage and those that it is made from, the first one first. */
export function lineageOf(stages: readonly Stage[], name: string): Stage[] {
  const stage = stages.find((one) => one.name === name);
  return stage === undefined ? [] : [...lineageOf(stages, stage.from), stage];
}

function toWords(json: string): readonly string[] {
  return json === '' ? [] : (JSON.parse(json) as string[]);
}
