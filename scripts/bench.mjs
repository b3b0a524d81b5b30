// Builds, and runs the benchmarks beside the peers; see bench/main.ts for the options.
// The images are made once, by scripts/images/real.sh: node scripts/bench.mjs --make-images
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

const args = process.argv.slice(2);
if (args[0] === '--make-images') {
  args.shift();
  run('bash', 'scripts/images/real.sh', '.cache/images', 'debian', 'many', 'big');
}
if (!existsSync('node_modules/.package-lock.json')) run('npm', 'ci');
run(process.execPath, 'scripts/build.mjs');
run(process.execPath, 'scripts/build.mjs', 'test');
run(process.execPath, 'build/bench/main.js', ...args);
