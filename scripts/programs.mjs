// The command and the engine's threads as they are shipped: each a bundle in one file, and for those that are waited
// for a few lines that load it.
//
// What a short command waits for is mostly the compiling of its code. So the loader (loader.cjs) keeps what V8
// compiled, on the user's machine: a package cannot bring it, as it would serve one exact Node on one kind of
// processor.
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { Apart, deferredDrivers, deferredImportsOf } from './deferred.mjs';
import { throughDoorsOfRooms } from './doors.mjs';

/** Where a bundle's code lies that has a loader. */
const codeFile = (name) => `${name}-code.cjs`;
/** The name of a program's second file, of which no other begins with the program's name and a hyphen. */
const apartOf = (name) => `${name}.apart`;

/**
 * What many sessions want, of what is run only when it is called: it lies in the first file of a program. All else lies
 * in a second one, since a start pays for what it reads and does not want, too.
 */
const usual =
  /^(?:fs\/(?:ext|fat)|image\/qcow2|volume\/lvm2|cli\/.*|engine\/thread\/(?!writing-).*)(?<!\/write)$/;

/** The function that Node puts around every CommonJS module, since the loaders compile the code themselves. */
const wrapped = {
  before:
    '(function (exports, require, module, __filename, __dirname, importPackage, recordCompiled, loadApart) {',
  after: '})',
};

/** `import.meta.url` for CommonJS, which does not have it. */
const ownBundleUrl = "const ownBundleUrl = require('node:url').pathToFileURL(__filename).href;";

const commonJs = ({ define }) => ({
  format: 'cjs',
  bundle: true,
  minify: true,
  packages: 'external',
  define: { ...define, 'import.meta.url': 'ownBundleUrl' },
});

/** Bundles a program into `dist/`: its name, its source, and whether what is compiled of it is kept where it runs. */
export async function buildProgram(options, name, source, { kept }) {
  const apart = new Apart((path) => kept && !usual.test(path));
  await build({
    ...options,
    ...commonJs(options),
    plugins: [await deferredImportsOf(source, apart), throughDoorsOfRooms, deferredDrivers(apart)],
    banner: { js: `${kept ? wrapped.before : ''}'use strict';${ownBundleUrl}` },
    footer: { js: kept ? wrapped.after : '' },
    // The loaders read it as Latin-1, which V8 keeps in half the memory of anything else.
    charset: 'ascii',
    entryPoints: [source],
    outfile: join('dist', kept ? codeFile(name) : `${name}.cjs`),
  });
  if (!kept) return;
  // Code that comes from a cache has lost the way to Node's loader, so the loader, which has not, imports for it.
  const file = join('dist', codeFile(name));
  const { code } = await transform(apart.text, { minify: true, charset: 'ascii', target: options.target });
  writeFileSync(file, importing(readFileSync(file, 'latin1')), 'latin1');
  writeFileSync(
    join('dist', codeFile(apartOf(name))),
    importing(`${wrapped.before}'use strict';${code}${wrapped.after}`),
    'latin1',
  );
  writeLoader(name);
}

const importing = (code) => code.replaceAll(/\bimport\((?=")/g, 'importPackage(');

/** Bundles a program into one file that needs no other, and no package: to lie beside another program's bundle. */
export async function buildStandalone(options, name, source) {
  const all = commonJs(options);
  await build({
    ...options,
    ...all,
    packages: 'bundle',
    plugins: [throughDoorsOfRooms, deferredDrivers()],
    define: { ...all.define, GUESTFS_STANDALONE: 'true' },
    banner: { js: `'use strict';${ownBundleUrl}` },
    entryPoints: [source],
    outfile: join('dist', `${name}.cjs`),
  });
}

/** Bundles the command's first file, which loads the rest when it has seen the command line. */
export async function buildCommand(options, name, source) {
  const path = join('dist', `${name}.cjs`);
  await build({
    ...options,
    ...commonJs(options),
    // `import('./program.js')` becomes a call of require, which does not bring the loader of ES modules with it.
    supported: { 'dynamic-import': false },
    plugins: [
      {
        name: 'loaders of programs',
        setup: ({ onResolve }) =>
          onResolve({ filter: /./ }, ({ kind, path: imported }) =>
            kind === 'dynamic-import'
              ? { path: imported.replace(/^.*\/(.+)js$/, './$1cjs'), external: true }
              : undefined,
          ),
      },
    ],
    banner: { js: `#!/usr/bin/env node\n'use strict';${ownBundleUrl}` },
    entryPoints: [source],
    outfile: path,
  });
  chmodSync(path, 0o755);
}

/** Writes `dist/NAME.cjs`, which loads a program's code. */
function writeLoader(name) {
  const digest = createHash('sha256')
    .update(readFileSync(join('dist', codeFile(name))))
    .update(readFileSync(join('dist', codeFile(apartOf(name)))))
    .digest('hex')
    .slice(0, 16);
  const loader = readFileSync(new URL('loader.cjs', import.meta.url), 'utf8');
  const commands = readFileSync('src/cli/command/command-names.ts', 'utf8').matchAll(/^ {2}'([a-z-]+)',$/gm);
  const text = loader
    .replace('%NAME%', name)
    .replace('%DIGEST%', digest)
    .replace('%COMMANDS%', [...commands].map(([, command]) => command).join(' '));
  writeFileSync(join('dist', `${name}.cjs`), text);
}
