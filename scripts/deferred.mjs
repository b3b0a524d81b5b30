// Drivers that are run when they are first used. A program loads all drivers, and most images want two or three: what the
// others would set up, classes and tables, costs every start some milliseconds.
//
// The door of a driver (`src/fs/NAME/index.ts`) imports its `probe.js` as it is. All else that it imports becomes one
// function around the rest of the driver's code, which V8 skips until the first call of what the door names. So the door
// may import functions alone; what both need, and what lies outside of the folder, is shared with the program.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import {
  isDriversDoor,
  isWritersDoor,
  sourceFile,
  throughDoors,
  throughDoorsOfRooms,
  valuesOf,
} from './doors.mjs';

const isEager = (specifier) => !specifier.startsWith('./') || specifier === './probe.js';

/** Inside a driver: what it needs for writing, which is run when something is first written. */
const deferredWriters = {
  name: 'deferred writers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /[\\/]write[\\/]index\.[jt]s$/ }, ({ path, resolveDir, kind }) => {
      const file = sourceFile(resolveDir, path);
      return kind !== 'entry-point' && isWritersDoor(file)
        ? { path: dirname(file), namespace: 'deferred' }
        : undefined;
    });
    onLoad({ filter: /./, namespace: 'deferred' }, async ({ path }) => ({
      contents: await deferredModule(path),
      resolveDir: path,
      loader: 'js',
    }));
  },
};

/** The plugin of esbuild. */
export const deferredDrivers = {
  name: 'deferred drivers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\// }, ({ path, importer, namespace }) =>
      namespace === 'file' && isDriversDoor(importer) && !isEager(path)
        ? { path: dirname(importer), namespace: 'deferred' }
        : undefined,
    );
    onLoad({ filter: /./, namespace: 'deferred' }, async ({ path }) => ({
      contents: await deferredModule(path),
      resolveDir: path,
      loader: 'js',
    }));
  },
};

/** What a door imports of the files of its folder that are deferred: a name, and its file. */
function deferredImports(directory) {
  const text = readFileSync(join(directory, 'index.ts'), 'utf8');
  const imports = new Map();
  for (const [, names, specifier] of text.matchAll(/^(?:import|export) \{([^}]*)\} from '(\.\/[^']+)';$/gm)) {
    if (isEager(specifier)) continue;
    const file = sourceFile(directory, specifier);
    for (const { there: name } of valuesOf(names)) {
      imports.set(name, file);
      if (!new RegExp(`^export function\\*? ${name}\\b`, 'm').test(readFileSync(file, 'utf8')))
        throw new Error(
          `${directory}/index.ts imports ${name} of ${specifier}, which is no function: see scripts/deferred.mjs`,
        );
    }
  }
  return imports;
}

/** The files of a folder that its `probe.ts` needs. */
async function eagerFiles(directory) {
  if (!existsSync(join(directory, 'probe.ts'))) return new Set();
  const { metafile } = await build({
    entryPoints: [join(directory, 'probe.ts')],
    bundle: true,
    packages: 'external',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return new Set(Object.keys(metafile.inputs).map((file) => resolve(file)));
}

/** The module that stands for all deferred files of a driver. */
async function deferredModule(directory) {
  const imports = deferredImports(directory);
  const shared = await eagerFiles(directory);
  const { outputFiles } = await build({
    stdin: {
      contents: [...imports]
        .map(([name, file]) => `export { ${name} } from ${JSON.stringify(file)};`)
        .join('\n'),
      resolveDir: directory,
    },
    bundle: true,
    format: 'esm',
    target: 'node20',
    define: { GUESTFS_BUNDLED: 'true' },
    packages: 'external',
    write: false,
    logLevel: 'warning',
    plugins: [
      deferredWriters,
      throughDoorsOfRooms,
      {
        name: 'what is shared',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^(?:\.|\/|[A-Z]:)/ }, ({ path, resolveDir, kind }) => {
            if (kind === 'entry-point') return undefined;
            const file = sourceFile(resolveDir, path);
            return file.startsWith(join(directory, '/')) && !shared.has(file)
              ? undefined
              : { path: file, external: true };
          }),
      },
    ],
  });
  const [heads, body] = withoutImports(outputFiles[0].text);
  const [, exported] = /^export \{([^}]*)\};\n?$/m.exec(body);
  const names = exported.split(',').map((name) => name.trim().split(' as '));
  return [
    ...heads.map((head) => throughDoors(head.trim(), directory)),
    'let functions;',
    'function run() {',
    body.replace(/^export \{[^}]*\};\n?$/m, ''),
    `return { ${names.map(([local, name = local]) => `${name}: ${local}`).join(', ')} };`,
    '}',
    ...names.map(
      ([local, name = local]) =>
        `export const ${name} = (...args) => (functions ??= run()).${name}(...args);`,
    ),
  ].join('\n');
}

/** The import statements of a bundle, and the rest of it. */
function withoutImports(text) {
  const heads = [];
  const body = text.replace(/^import [^;]*;\n/gm, (statement) => {
    heads.push(statement);
    return '';
  });
  return [heads, body];
}
