/** The house's rules, read from the import lines: floors, doors, no circles, who may touch the host, file lengths. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = process.cwd();
const src = join(root, 'src');

/** The rooms, each with those it may import from. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  formats: ['base'],
  disk: ['formats', 'base'],
  api: ['formats', 'base'],
  image: ['disk', 'formats', 'base'],
  partition: ['disk', 'formats', 'base'],
  volume: ['disk', 'formats', 'base'],
  fs: ['disk', 'formats', 'base'],
  vfs: ['fs', 'disk', 'base'],
  inspect: ['vfs', 'formats', 'base'],
  engine: ['inspect', 'vfs', 'fs', 'volume', 'partition', 'image', 'disk', 'api', 'formats', 'base'],
  appliance: ['api', 'formats', 'base'],
  guestfs: ['engine', 'appliance', 'api', 'formats', 'base'],
  cli: ['guestfs', 'api', 'formats', 'base'],
  web: ['guestfs', 'api', 'formats', 'base'],
};
/** Rooms of sibling drivers, which never meet; their shared shape lies beside them. */
const driverRooms = new Set(['fs', 'image', 'volume']);
/** Rooms that may open files of the host. */
const hostRooms = new Set(['disk', 'engine', 'appliance', 'cli', 'web']);
const longestFile = 600;

interface Source {
  /** Path below src/. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly string[];
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports = [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ];
  return {
    path: relative(src, path),
    lines: text.split('\n').length - 1,
    imports: imports.map((match) => match[1] ?? match[2] ?? match[3] ?? ''),
  };
}

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join(src, name)));

const roomOf = (path: string): string => path.split('/')[0] ?? '';

/** The file below src/ that an import names, or undefined for a package. */
function target(source: Source, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(src, join(src, dirname(source.path), specifier)).replace(/\.js$/, '.ts');
}

/** Every import of a project's file: from, to. */
const edges = sources.flatMap((source) =>
  source.imports.flatMap((specifier) => {
    const to = target(source, specifier);
    return to === undefined ? [] : [{ from: source.path, to }];
  }),
);

test('every room is known and has sources', () => {
  assert.ok(sources.length > 50, `only ${sources.length} sources were found`);
  assert.deepEqual(
    [...new Set(sources.map(({ path }) => roomOf(path)))].filter((room) => !(room in allowed)),
    [],
  );
});

test('a room imports only from lower floors', () => {
  const wrong = edges.filter(
    ({ from, to }) => roomOf(from) !== roomOf(to) && !allowed[roomOf(from)]?.includes(roomOf(to)),
  );
  assert.deepEqual(wrong, []);
});

/** Beside the doors, for what must not wait for a whole room to be loaded. */
const sideDoors = new Set(['engine/thread/thread.ts', 'guestfs/preload.ts']);

test('another room is entered by its door', () => {
  const wrong = edges.filter(
    ({ from, to }) => roomOf(from) !== roomOf(to) && to !== `${roomOf(to)}/index.ts` && !sideDoors.has(to),
  );
  assert.deepEqual(wrong, []);
});

test('sibling drivers never meet', () => {
  const driver = (path: string): string | undefined => {
    const [room = '', folder, file] = path.split('/');
    return driverRooms.has(room) && file !== undefined ? `${room}/${folder}` : undefined;
  };
  const wrong = edges.filter(({ from, to }) => driver(from) && driver(to) && driver(from) !== driver(to));
  assert.deepEqual(wrong, []);
});

test('imports form no circle', () => {
  const next = new Map<string, { to: string }[]>();
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge]);
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    state.set(path, 'open');
    for (const { to } of next.get(path) ?? []) visit(to, [...trail, path]);
    state.set(path, 'done');
  };
  for (const { path } of sources) visit(path, []);
  assert.deepEqual(circles, []);
});

test('only disk, engine, appliance, cli and web open files of the host', () => {
  const wrong = sources.filter(
    ({ path, imports }) =>
      !hostRooms.has(roomOf(path)) && imports.some((name) => /^(node:)?fs(\/promises)?$/.test(name)),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test(`no file is longer than ${longestFile} lines`, () => {
  const long = sources.filter(({ lines }) => lines > longestFile);
  assert.deepEqual(
    long.map(({ path, lines }) => `${path}: ${lines}`),
    [],
  );
});
