// Imports that go through the door of a room, led to the files behind it. A door names all that its room has, and
// evaluating it evaluates all of that: a program that wants one function of `formats/` would set up every format.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The file that an import names. */
export const sourceFile = (directory, specifier) => resolve(directory, specifier.replace(/\.js$/, '.ts'));

/**
 * Whether a file is the door of a driver, or of codecs, whose code is deferred (deferred.mjs): all else of it is reached
 * through it.
 */
export const isDriversDoor = (file) =>
  (/[\\/]src[\\/](?:fs|image|volume)[\\/][^\\/]+[\\/]index\.ts$/.test(file) &&
    existsSync(join(dirname(file), 'probe.ts'))) ||
  /[\\/]src[\\/](?:base[\\/]codecs|formats[\\/]xz)[\\/]index\.ts$/.test(file) ||
  isWritersDoor(file);

/** Whether a file is the door of what a driver needs for writing: it is deferred once more. */
export const isWritersDoor = (file) =>
  /[\\/]src[\\/](?:fs|image|volume)[\\/][^\\/]+[\\/]write[\\/]index\.ts$/.test(file);

/** `{ a, type B, c as d }` as the values in it: the name there, and the name here. */
export const valuesOf = (names) =>
  names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(/ as /))
    .map(([there, here = there]) => ({ there, here }));

const exportsOfDoors = new Map();

/** Where a door has its names from: a file for each, which may be a door itself; `*` is all of a file. */
export function exportsOf(door) {
  let found = exportsOfDoors.get(door);
  if (found !== undefined) return found;
  found = new Map();
  exportsOfDoors.set(door, found);
  const text = readFileSync(door, 'utf8');
  for (const [, names, specifier] of text.matchAll(/^export \{([^}]*)\} from '(\.[^']+)';$/gm)) {
    for (const { there, here } of valuesOf(names))
      found.set(here, { name: there, file: sourceFile(dirname(door), specifier) });
  }
  for (const [, name, specifier] of text.matchAll(/^export \* as (\w+) from '(\.[^']+)';$/gm))
    found.set(name, { name: '*', file: sourceFile(dirname(door), specifier) });
  for (const [, specifier] of text.matchAll(/^export \* from '(\.[^']+)';$/gm)) {
    const file = sourceFile(dirname(door), specifier);
    const declared = /^export (?:async )?(?:const|let|class|function\*?|abstract class) (\w+)/gm;
    for (const [, name] of readFileSync(file, 'utf8').matchAll(declared)) found.set(name, { name, file });
  }
  return found;
}

/** Where a name is at home. */
function homeOf(name, file) {
  if (!/[\\/]index\.ts$/.test(file) || isDriversDoor(file)) return { name, file };
  const behind = exportsOf(file).get(name);
  if (behind === undefined) return { name, file };
  return behind.name === '*' ? behind : homeOf(behind.name, behind.file);
}

/** The text of a module with its imports led through the doors. */
export function throughDoors(text, directory) {
  return text.replace(
    /^(import|export) \{([^}]*)\} from (['"])((?:\.|\/|[A-Z]:)[^'"]*\bindex\.[jt]s)\3;$/gm,
    (_, keyword, names, __, specifier) =>
      valuesOf(names)
        .map(({ there, here }) => {
          const { name, file } = homeOf(there, sourceFile(directory, specifier));
          const wanted = name === '*' ? `* as ${here}` : `{ ${name} as ${here} }`;
          return `${keyword} ${wanted} from ${JSON.stringify(file)};`;
        })
        .join(' '),
  );
}

/** The plugin of esbuild. */
export const throughDoorsOfRooms = {
  name: 'through doors of rooms',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => ({
      contents: throughDoors(readFileSync(path, 'utf8'), dirname(path)),
      loader: 'ts',
    })),
};
