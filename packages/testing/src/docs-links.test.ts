import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

import { inCheckout } from './checkout.ts';

const ROOT = inCheckout('.');
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.data', '.cache']);

interface Link {
  /** The page that holds it, and what it names, by their paths in the checkout. */
  readonly from: string;
  readonly to: string;
  readonly anchor: string | undefined;
}

const pages = listPages('.');
const links = pages.flatMap(readLinks);

/** Every Markdown file of ours. */
function listPages(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : listPages(file);
    return file.endsWith('.md') ? [file] : [];
  });
}

/** Without what stands in code, where brackets mean something else. */
function readProse(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8')
    .replaceAll(/^ *```[^]*?^ *```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '');
}

function readLinks(page: string): readonly Link[] {
  return Array.from(readProse(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? page : path.join(path.dirname(page), file);
      return { from: page, to, anchor };
    });
}

/** As GitHub makes them of headings; the second one of a name has a number behind it. */
function readAnchors(page: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, page), 'utf8').replaceAll(/^ *```[^]*?^ *```/gm, '');
  const seen = new Map<string, number>();
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) => {
    const anchor = toAnchor(heading);
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

function toAnchor(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

describe('the pages', () => {
  test('link to files that exist', () => {
    const broken = links.filter(({ to }) => !existsSync(path.join(ROOT, to)));

    expect(links.length).toBeGreaterThan(100);
    expect(broken).toEqual([]);
  });

  test('link to headings that exist', () => {
    const broken = links.filter(
      ({ to, anchor }) =>
        anchor !== undefined && to.endsWith('.md') && !readAnchors(to).includes(anchor),
    );

    expect(broken).toEqual([]);
  });

  test('below docs are each linked from another one; those beside the ADRs from the README', () => {
    const linkedFrom = (page: string) =>
      links.filter(({ from, to }) => from !== page && (to === page || isFolderOf(to, page)));
    const docs = pages.filter((page) => page.startsWith(`docs${path.sep}`));
    const guides = docs.filter((page) => path.dirname(page) === 'docs');

    expect(docs.filter((page) => linkedFrom(page).length === 0)).toEqual([]);
    expect(
      guides.filter((page) => !linkedFrom(page).some(({ from }) => from === 'README.md')),
    ).toEqual([]);
  });
});

/** A folder stands for all that lies in it. */
function isFolderOf(folder: string, page: string): boolean {
  return (
    page.startsWith(`${path.normalize(folder)}${path.sep}`) &&
    statSync(path.join(ROOT, folder)).isDirectory()
  );
}
