// Everything that can be said of the project without running its tests: lint and format, types, floors, the package.
import { spawnSync } from 'node:child_process';
import { ensureInstalled, root } from './run.mjs';

process.chdir(root);

let failed = 0;

/** Runs a step and counts it when it fails; the others still run. */
function step(name, program, ...args) {
  console.log(`\n── ${name}`);
  if (spawnSync(program, args, { stdio: 'inherit' }).status !== 0) failed++;
}

ensureInstalled();
step('lint and format', 'npx', 'biome', 'ci', '--error-on-warnings');
step('types', 'npx', 'tsc', '--noEmit', '-p', '.');
step('floors', process.execPath, 'scripts/test.mjs', 'floors/');
step('package', 'npx', 'publint', '--strict');
console.log(failed === 0 ? '\nall checks passed' : `\n${failed} of the checks failed`);
process.exit(failed === 0 ? 0 : 1);
