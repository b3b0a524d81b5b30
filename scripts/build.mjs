// Builds the project.
//   node scripts/build.mjs         dist/: the bundled library, command and worker, and their declarations
//   node scripts/build.mjs test    build/: src/, test/, bench/ and fuzz/ file by file, for the test runner
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { deferredDrivers } from './deferred.mjs';
import { throughDoorsOfRooms } from './doors.mjs';
import { buildCommand, buildProgram, buildStandalone } from './programs.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const node = { platform: 'node', format: 'esm', target: 'node20', sourcemap: true, logLevel: 'warning' };

/** Every TypeScript file below a folder. */
function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(relative(root, entry.parentPath ?? entry.path), entry.name));
}

if (process.argv[2] === 'test') {
  const entryPoints = ['src', 'test', 'bench', 'fuzz'].flatMap((folder) => sources(join(root, folder)));
  await build({ ...node, entryPoints, outdir: 'build', outbase: '.' });
} else {
  rmSync('dist', { recursive: true, force: true });
  const bundled = {
    ...node,
    define: { GUESTFS_BUNDLED: 'true' },
    bundle: true,
    sourcemap: false,
    // What a short command waits for is mostly the compiling of its code: shorter code halves that.
    minify: true,
    // Node prints the line of an error that nobody caught: no screen full of code.
    lineLimit: 160,
    packages: 'external',
    plugins: [throughDoorsOfRooms, deferredDrivers()],
    outdir: 'dist',
    splitting: true,
    chunkNames: '[name]-[hash]',
  };
  await build({ ...bundled, entryPoints: { index: 'src/guestfs/index.ts' } });
  // For `require`: the same module, so that a class of it is one class for all of a program.
  writeFileSync('dist/index.cjs', `'use strict';\nmodule.exports = require('./index.js');\n`);
  const programs = { ...node, sourcemap: false, define: bundled.define };
  await buildCommand(programs, 'cli', 'src/cli/main.ts');
  await buildProgram(programs, 'program', 'src/cli/command/program.ts', { kept: true });
  await buildProgram(programs, 'worker', 'src/engine/thread/worker.ts', { kept: true });
  await buildProgram(programs, 'decoder-thread', 'src/platform/decoder-thread.ts', { kept: false });
  await buildStandalone(programs, 'guestfs-engine', 'src/engine/thread/standalone.ts');
  if (!process.argv.includes('--no-types'))
    execFileSync(process.execPath, ['scripts/declarations.mjs'], { stdio: 'inherit' });
}
