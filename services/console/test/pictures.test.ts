import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../../..');
const FOLDER = path.join(ROOT, 'docs/console');
/** So that a checkout stays quick. */
const MAX_BYTES = 4 * 1024 * 1024;

interface Picture {
  readonly name: string;
  /** Of the page that it shows, as the table of routes has it. */
  readonly route?: string;
  /** It is there of a phone, too. */
  readonly phone?: boolean;
}

const PICTURES = JSON.parse(read('infra/local/pictures.json')) as readonly Picture[];
const FILES = PICTURES.flatMap(({ name, phone }) => [
  ...toFiles(name),
  ...(phone === true ? toFiles(`${name}-phone`) : []),
]);

/* `npm run pictures` takes them; this only says what is missing or too much. */

test('every page has its picture', () => {
  const routes = listRoutes();
  const shown = PICTURES.flatMap(({ route }) => (route === undefined ? [] : [route]));

  expect(routes.length).toBeGreaterThan(10);
  expect(shown.toSorted()).toEqual(routes.toSorted());
});

test('every picture is there, light and dark, and no other one', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(FILES.toSorted());
});

test('the pictures are small, all together', () => {
  const bytes = FILES.map((file) => path.join(FOLDER, file))
    .filter((file) => existsSync(file))
    .reduce((sum, file) => sum + statSync(file).size, 0);

  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});

test('docs/console.md shows each', () => {
  const shown = new Set(
    Array.from(read('docs/console.md').matchAll(/\(console\/([\w-]+\.png)\)/g), ([, file]) => file),
  );

  expect([...shown].toSorted()).toEqual(FILES.toSorted());
});

/** The paths of the table of routes, but for the one of what there is not. */
function listRoutes(): readonly string[] {
  const text = read('services/console/src/app.tsx');
  const paths = Array.from(text.matchAll(/<Route path="([^"*]+)"/g), ([, route = '']) => route);
  return text.includes('<Route index ') ? ['/', ...paths] : paths;
}

function toFiles(name: string): readonly string[] {
  return ['light', 'dark'].map((look) => `${name}-${look}.png`);
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
