/** The rooms: floors, doors, no circles, no meeting of sibling drivers, and how large a file and a folder may be. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { roomOf, sources } from './sources.js';

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
  vfs: ['fs', 'disk', 'formats', 'base'],
  inspect: ['vfs', 'formats', 'base'],
  platform: ['disk', 'base'],
  engine: [
    'platform',
    'inspect',
    'vfs',
    'fs',
    'volume',
    'partition',
    'image',
    'disk',
    'api',
    'formats',
    'base',
  ],
  appliance: ['api', 'formats', 'base'],
  guestfs: ['engine', 'appliance', 'api', 'formats', 'base'],
  cli: ['guestfs', 'api', 'formats', 'base'],
  web: ['guestfs', 'api', 'formats', 'base'],
};
/** Rooms of sibling drivers, which never meet; what they share lies beside them. */
const driverRooms = new Set(['fs', 'image', 'volume']);
/** Beside the doors, for what must not wait for a whole room to be loaded. */
const sideDoors = new Set(['src/engine/thread/thread.ts', 'src/guestfs/preload.ts']);
/** A door of its own for those alone who may know of the host: its room is entered without Node by all others. */
const hostDoors: Readonly<Record<string, readonly string[]>> = {
  'src/disk/host/index.ts': ['platform', 'engine'],
};
const longestFile = 600;
const fullestFolder = 25;
/** One file for each topic of the API. */
const fullerFolders = new Set(['src/api/topics']);

/** Every import of a file of the project. */
const edges = sources.flatMap(({ path, imports }) =>
  imports.filter(({ isPackage }) => !isPackage).map(({ from }) => ({ from: path, to: from })),
);
const betweenRooms = edges.filter(({ from, to }) => roomOf(from) !== roomOf(to));

test('every room is known and has sources', () => {
  assert.ok(sources.length > 50, `only ${sources.length} sources were found`);
  assert.deepEqual(
    [...new Set(sources.map(({ path }) => roomOf(path)))].filter((room) => !(room in allowed)),
    [],
  );
});

test('an import names a file that exists', () => {
  const files = new Set(sources.map(({ path }) => path));
  assert.deepEqual(
    edges.filter(({ to }) => !files.has(to)),
    [],
  );
});

test('a room imports only from lower floors', () => {
  assert.deepEqual(
    betweenRooms.filter(({ from, to }) => !allowed[roomOf(from)]?.includes(roomOf(to))),
    [],
  );
});

test('another room is entered by its door', () => {
  assert.deepEqual(
    betweenRooms.filter(
      ({ from, to }) =>
        to !== `src/${roomOf(to)}/index.ts` && !sideDoors.has(to) && !hostDoors[to]?.includes(roomOf(from)),
    ),
    [],
  );
});

test('sibling drivers never meet', () => {
  const driver = (path: string): string | undefined => {
    const [, room = '', folder, file] = path.split('/');
    return driverRooms.has(room) && file !== undefined ? `${room}/${folder}` : undefined;
  };
  assert.deepEqual(
    edges.filter(({ from, to }) => driver(from) && driver(to) && driver(from) !== driver(to)),
    [],
  );
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

test(`no file is longer than ${longestFile} lines`, () => {
  const long = sources.filter(({ lines }) => lines.length > longestFile);
  assert.deepEqual(
    long.map(({ path, lines }) => `${path}: ${lines.length}`),
    [],
  );
});

test(`no folder has more than ${fullestFolder} files`, () => {
  const full: string[] = [];
  const visit = (folder: string): void => {
    const entries = readdirSync(folder, { withFileTypes: true });
    const count = entries.filter((entry) => entry.isFile()).length;
    if (count > fullestFolder && !fullerFolders.has(folder)) full.push(`${folder}: ${count}`);
    for (const entry of entries) {
      if (entry.isDirectory() && entry.name !== 'fixtures') visit(join(folder, entry.name));
    }
  };
  for (const folder of ['src', 'test', 'scripts', 'bench', 'fuzz']) visit(folder);
  assert.deepEqual(full, []);
});
