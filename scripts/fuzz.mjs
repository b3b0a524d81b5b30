// Builds, and fuzzes the parsers: see fuzz/main.ts for the options.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(join(fileURLToPath(import.meta.url), '..', '..'));

/** Runs a program with our terminal; ends this one with its status when it fails. */
function run(program, ...args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync('node_modules/.package-lock.json')) run('npm', 'ci');
run(process.execPath, 'scripts/build.mjs', 'test');
run(process.execPath, 'build/fuzz/main.js', ...process.argv.slice(2));
