// Code that is run when it is first used. A program loads all drivers and all actions, and most images want a few of
// them: what the others would set up, functions, classes and tables, costs every start some milliseconds.
// Such code becomes one function, which V8 skips until it is called:
// - Of a driver (`src/fs/NAME/index.ts`) all but what its `probe.js` needs, at the first call of what the door names, so
//   that the door may import functions alone. What it shares, and what lies outside of the folder, is the program's.
// - Inside of that, what only `write/index.js` reaches: most images are only read.
// - What only one `import('./more-handlers.js')` reaches, when it is imported.
// What few sessions want lies in a second file (`Apart`), which is read when the first of it is called.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import {
  exportsOf,
  isDriversDoor,
  isWritersDoor,
  sourceFile,
  throughDoors,
  throughDoorsOfRooms,
  valuesOf,
} from './doors.mjs';

const isEager = (specifier) => !specifier.startsWith('./') || specifier === './probe.js';
const isForWriting = (directory) => basename(directory) === 'write';

/** The functions of a program's second file: which are there, and their texts, by the folder or file of each. */
export class Apart {
  #isApart;
  #texts = new Map();

  constructor(isApart) {
    this.#isApart = isApart;
  }

  has(path) {
    return this.#isApart(relative('src', path).replaceAll('\\', '/'));
  }

  /** Takes a function from the first file. Gives what calls it there: what it used of that file are its arguments. */
  take(path, heads, body, names) {
    const key = relative('src', path).replaceAll('\\', '/');
    const outside = heads.flatMap(namesOfImport).join(', ');
    this.#texts.set(key, `${JSON.stringify(key)}: (${outside}) => {\n${body}\n${returned(names)}\n}`);
    return `loadApart(${JSON.stringify(key)})(${outside})`;
  }

  get text() {
    return `module.exports = {\n${[...this.#texts.values()].join(',\n')}\n};`;
  }
}

/** For programs of one file. */
const nothingApart = new Apart(() => false);

/** The names that an import statement of a bundle declares. */
function namesOfImport(statement) {
  const [, what] = /^import (.*) from [^;]*;\n?$/s.exec(statement) ?? [undefined, ''];
  const [, listed = ''] = /\{([^}]*)\}/.exec(what) ?? [];
  const others = what.replace(/\{[^}]*\}/, '').split(',');
  return [...listed.split(','), ...others].map((name) => name.trim().replace(/^.* as /, '')).filter(Boolean);
}

/** Loads the module that stands for a folder's deferred files. */
const loadDeferred = (onLoad, apart) =>
  onLoad({ filter: /./, namespace: 'deferred' }, async ({ path }) => ({
    contents: await deferredModule(path, apart),
    resolveDir: path,
    loader: 'js',
  }));

/** Inside a driver: what it needs for writing, which is run when something is first written. */
const deferredWriters = (apart) => ({
  name: 'deferred writers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /[\\/]write[\\/]index\.[jt]s$/ }, ({ path, resolveDir, kind }) => {
      const file = sourceFile(resolveDir, path);
      return kind !== 'entry-point' && isWritersDoor(file)
        ? { path: dirname(file), namespace: 'deferred' }
        : undefined;
    });
    loadDeferred(onLoad, apart);
  },
});

/** The plugin of esbuild for drivers. */
export const deferredDrivers = (apart = nothingApart) => ({
  name: 'deferred drivers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:\.\/|\/|[A-Z]:)/ }, ({ path, importer, namespace, resolveDir }) => {
      if (namespace !== 'file' || !isDriversDoor(importer)) return undefined;
      const ofFolder = `./${relative(dirname(importer), resolve(resolveDir, path)).replaceAll('\\', '/')}`;
      return ofFolder.startsWith('./..') || isEager(ofFolder.replace(/ts$/, 'js'))
        ? undefined
        : { path: dirname(importer), namespace: 'deferred' };
    });
    loadDeferred(onLoad, apart);
  },
});

/** What the door of a folder imports of the files that are deferred: a name, and its file. */
function deferredImports(directory) {
  const text = readFileSync(join(directory, 'index.ts'), 'utf8');
  const imports = new Map();
  for (const [, names, specifier] of text.matchAll(/^(?:import|export) \{([^}]*)\} from '(\.[^']+)';$/gm)) {
    if (!isForWriting(directory) && isEager(specifier)) continue;
    const file = sourceFile(directory, specifier);
    for (const { there: name } of valuesOf(names)) {
      imports.set(name, file);
      const home = isWritersDoor(file) ? exportsOf(file).get(name).file : file;
      if (!new RegExp(`^export function\\*? ${name}\\b`, 'm').test(readFileSync(home, 'utf8')))
        throw new Error(
          `${directory}/index.ts imports ${name} of ${specifier}, which is no function: see scripts/deferred.mjs`,
        );
    }
  }
  return imports;
}

/** An entry of esbuild that has these names. */
const entryOf = (directory, imports) => ({
  stdin: {
    contents: imports.map(([name, file]) => `export { ${name} } from ${JSON.stringify(file)};`).join('\n'),
    resolveDir: directory,
  },
});

/** The files that a bundle of an entry reads. */
async function filesOf(entry, plugins = []) {
  const { metafile } = await build({
    ...entry,
    bundle: true,
    platform: 'node',
    packages: 'external',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins,
  });
  return Object.keys(metafile.inputs).map((file) => resolve(file));
}

/** The files of a driver that its `probe.ts` needs. */
async function eagerFiles(directory) {
  const probe = join(directory, 'probe.ts');
  return existsSync(probe) ? filesOf({ entryPoints: [probe] }) : [];
}

/** The files of a driver that are wanted for more than writing. */
async function readingFiles(directory) {
  const imports = [...deferredImports(directory)].filter(([, file]) => !isWritersDoor(file));
  const withoutWriters = {
    name: 'without writers',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^[./]/ }, ({ path, resolveDir }) =>
        isWritersDoor(sourceFile(resolveDir, path)) ? { path, external: true } : undefined,
      ),
  };
  return [
    ...(await eagerFiles(directory)),
    ...(await filesOf(entryOf(directory, imports), [withoutWriters, throughDoorsOfRooms])),
  ];
}

/** The module that stands for all deferred files of a driver, or for those for writing. */
async function deferredModule(directory, apart) {
  const imports = [...deferredImports(directory)];
  const driver = isForWriting(directory) ? dirname(directory) : directory;
  const shared = new Set(await (isForWriting(directory) ? readingFiles : eagerFiles)(driver));
  const { heads, body, names } = await bundleOf(
    entryOf(directory, imports),
    (file) => file.startsWith(join(driver, '/')) && !shared.has(file),
    isForWriting(directory) ? [] : [deferredWriters(apart)],
  );
  return [
    ...heads.map((head) => throughDoors(head.trim(), directory)),
    'let functions;',
    ...(apart.has(directory)
      ? [`const run = () => ${apart.take(directory, heads, body, names)};`]
      : asFunction(body, names)),
    ...names.map(
      ([local, name = local]) =>
        `export const ${name} = (...args) => (functions ??= run()).${name}(...args);`,
    ),
  ].join('\n');
}

/** The files that are inside, as one text: its imports of what is outside, the rest, and the names that it exports. */
async function bundleOf(entry, isInside, plugins) {
  const { outputFiles } = await build({
    ...entry,
    bundle: true,
    format: 'esm',
    target: 'node20',
    define: { GUESTFS_BUNDLED: 'true' },
    packages: 'external',
    write: false,
    logLevel: 'warning',
    plugins: [
      ...plugins,
      throughDoorsOfRooms,
      {
        name: 'what is shared',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^(?:\.|\/|[A-Z]:)/ }, ({ path, resolveDir, kind }) => {
            if (kind === 'entry-point') return undefined;
            const file = sourceFile(resolveDir, path);
            return isInside(file) ? undefined : { path: file, external: true };
          }),
      },
    ],
  });
  const [heads, rest] = withoutImports(outputFiles[0].text);
  const [all, exported] = /^export \{([^}]*)\};\n?$/m.exec(rest);
  const names = exported.split(',').map((name) => name.trim().split(' as '));
  return { heads, body: rest.replace(all, ''), names };
}

const returned = (names) =>
  `return { ${names.map(([local, name = local]) => `${name}: ${local}`).join(', ')} };`;

/** A text as the body of a function that returns what is exported. */
const asFunction = (body, names) => ['function run() {', body, returned(names), '}'];

/**
 * The plugin of esbuild for what a program imports when it comes to it (`import('./more-handlers.js')`): the files that
 * only this import reaches become one function, too, run when the import is.
 */
export async function deferredImportsOf(program, apart = nothingApart) {
  const alone = await reachedAlone(program);
  return {
    name: 'deferred imports',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        const file = sourceFile(resolveDir, path);
        return kind === 'dynamic-import' && alone.has(file)
          ? { path: file, namespace: 'deferred import' }
          : undefined;
      });
      onLoad({ filter: /./, namespace: 'deferred import' }, async ({ path }) => {
        const inside = alone.get(path);
        const { heads, body, names } = await bundleOf({ entryPoints: [path] }, (file) => inside.has(file), [
          deferredDrivers(apart),
        ]);
        const exported = names.map(
          ([local, name = local], i) => `const own${i} = all.${name}; export { own${i} as ${name} };`,
        );
        return {
          contents: [
            ...heads,
            ...(apart.has(path)
              ? [`const all = ${apart.take(path, heads, body, names)};`]
              : [...asFunction(body, names), 'const all = run();']),
            ...exported,
          ].join('\n'),
          resolveDir: dirname(path),
          loader: 'js',
        };
      });
    },
  };
}

/** So many files are worth a function of their own. */
const fewest = 4;

/** The files that are imported dynamically, each with the files that are reached in no other way. */
async function reachedAlone(program) {
  const { metafile } = await build({
    entryPoints: [program],
    bundle: true,
    platform: 'node',
    format: 'esm',
    define: { GUESTFS_BUNDLED: 'true' },
    packages: 'external',
    write: false,
    metafile: true,
    outdir: 'dist',
    splitting: true,
    logLevel: 'silent',
    plugins: [throughDoorsOfRooms],
  });
  const importsOf = (file) => metafile.inputs[file].imports.filter(({ path }) => path in metafile.inputs);
  const reach = (start, without) => {
    const reached = new Set();
    const queue = [start];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      for (const { path, kind } of importsOf(file))
        if (!(kind === 'dynamic-import' && path === without)) queue.push(path);
    }
    return reached;
  };
  const targets = Object.keys(metafile.inputs)
    .flatMap((file) => importsOf(file).filter(({ kind }) => kind === 'dynamic-import'))
    .map(({ path }) => path);
  const found = [...new Set(targets)].map((target) => {
    const others = reach(program, target);
    const alone = [...reach(target)].filter((file) => !others.has(file));
    return [resolve(target), new Set(alone.map((file) => resolve(file)))];
  });
  return new Map(found.filter(([, alone]) => alone.size >= fewest));
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
