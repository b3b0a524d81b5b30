// The command and the engine's threads as they are shipped: each a bundle in one file, and for those that are waited
// for a few lines that load it.
//
// What a short command waits for is mostly the compiling of its code. So what V8 compiled while a bundle did its usual
// work is kept beside it: a code cache for the Node that built it. V8 itself refuses a cache that was made by another
// release, for another processor or with other flags, and compiles. But of the source it compares no more than the length,
// so a cache bears a digest of its bundle in its name, and one that is left of an earlier build is never looked at.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Where a bundle's code lies that has a loader. */
const codeFile = (name) => `${name}-code.cjs`;

/** The function that Node puts around every CommonJS module, since the loaders compile the code themselves. */
const wrapped = {
  before: '(function (exports, require, module, __filename, __dirname, importPackage) {',
  after: '})',
};

/** `import.meta.url` for CommonJS, which does not have it. */
const ownUrl = "const ownUrl = require('node:url').pathToFileURL(__filename).href;";

const commonJs = ({ define }) => ({
  format: 'cjs',
  bundle: true,
  minify: true,
  packages: 'external',
  define: { ...define, 'import.meta.url': 'ownUrl' },
});

/** Bundles a program into `dist/`: its name, its source, and whether what is compiled of it is to be kept. */
export async function buildProgram(options, name, source, { kept }) {
  await build({
    ...options,
    ...commonJs(options),
    banner: { js: `${kept ? wrapped.before : ''}'use strict';${ownUrl}` },
    footer: { js: kept ? wrapped.after : '' },
    // The loaders read it as Latin-1, which V8 keeps in half the memory of anything else.
    charset: 'ascii',
    entryPoints: [source],
    outfile: join('dist', kept ? codeFile(name) : `${name}.cjs`),
  });
  if (!kept) return;
  // Code that comes from a cache has lost the way to Node's loader, so the loader, which has not, imports for it.
  const file = join('dist', codeFile(name));
  writeFileSync(
    file,
    readFileSync(file, 'latin1').replaceAll(/\bimport\((?=")/g, 'importPackage('),
    'latin1',
  );
  writeLoader(name);
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
            kind === 'dynamic-import' ? { path: imported.replace(/js$/, 'cjs'), external: true } : undefined,
          ),
      },
    ],
    banner: { js: `#!/usr/bin/env node\n'use strict';${ownUrl}` },
    entryPoints: [source],
    outfile: path,
  });
  chmodSync(path, 0o755);
}

/** Writes `dist/NAME.cjs`, which loads a program's code. With `record` it also writes what was compiled until its end. */
function writeLoader(name, { record = false } = {}) {
  const code = readFileSync(join('dist', codeFile(name)));
  const digest = createHash('sha256').update(code).digest('hex').slice(0, 16);
  const lines = [
    "'use strict';",
    "const { readFileSync } = require('node:fs');",
    "const { Script } = require('node:vm');",
    `const filename = \`\${__dirname}/${codeFile(name)}\`;`,
    `const cache = \`\${__dirname}/${name}-${digest}-\${process.version}-\${process.arch}.cache\`;`,
    'let cachedData;',
    'try {',
    '  cachedData = readFileSync(cache);',
    '} catch {',
    '  // Built by another Node: the code is compiled.',
    '}',
    "const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });",
    'const importPackage = (name) => import(name);',
    ...(record
      ? ["process.on('exit', () => require('node:fs').writeFileSync(cache, script.createCachedData()));"]
      : []),
    'script.runInThisContext()(exports, require, module, filename, __dirname, importPackage);',
  ];
  writeFileSync(join('dist', `${name}.cjs`), `${lines.join('\n')}\n`);
}

/** What nearly every handle does. */
const usualCalls = `
  const { Guestfs } = await import(process.argv[1]);
  const g = new Guestfs({ backend: 'embedded', environment: false });
  g.addDrive(process.argv[2], { readonly: true, format: 'qcow2' });
  await g.launch();
  const [root] = await g.inspectOs();
  await g.mountRo(root, '/');
  await g.inspectListApplications2(root);
  await g.walk('/etc');
  await g.readFile('/etc/os-release');
  await g.download('/etc/os-release', '/dev/null');
  await g.close();
`;

/** Runs the programs once, on the sample guest, and keeps what was compiled. */
export function keepCompiled(root) {
  const sample = join(root, 'samples/debian.qcow2');
  const recordings = {
    worker: ['--input-type=module', '-e', usualCalls, '--', join(root, 'dist/index.js'), sample],
    program: ['dist/cli.cjs', 'cat', `${sample}:/etc/os-release`, '-m', '/dev/sda2'],
  };
  // The usual work, whatever the one who builds has chosen for handles of his own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('LIBGUESTFS_')),
  );
  for (const [name, args] of Object.entries(recordings)) {
    writeLoader(name, { record: true });
    execFileSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    writeLoader(name);
  }
}
