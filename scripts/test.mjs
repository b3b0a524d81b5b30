// Builds and runs the tests. Arguments keep only the test files whose path contains one of them. Installs what is
// missing first, so that a clean clone needs nothing else.
//   node scripts/test.mjs --oracle    checks the kept answers against the real libguestfs instead; takes minutes
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);
ensureInstalled();
run(process.execPath, 'scripts/build.mjs');
run(process.execPath, 'scripts/build.mjs', 'test');

/**
 * Files that take minutes with an appliance, and what puts their names in other places. Each is beside files that
 * compute: two appliances at a time take nearly twice as long, and behind the last file of all a processor would wait.
 */
const places = [
  ['upstream/direct.', '!'],
  ['scenarios/direct-writing.', 'golden/'],
  ['appliance/', 'volume/~'],
];
const placeOf = (name) => (places.find(([start]) => name.startsWith(start))?.[1] ?? '') + name;

const filters = process.argv.slice(2).filter((word) => word !== '--oracle');
const ending = process.argv.includes('--oracle') ? '.oracle.js' : '.test.js';
const files = readdirSync('build/test', { recursive: true })
  .filter((name) => name.endsWith(ending))
  .filter((name) => existsSync(join('test', name.replace(/\.js$/, '.ts'))))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1))
  .map((name) => join('build/test', name));
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}
run(
  process.execPath,
  // The thread of a test of what lies below the engine has no entry that hands a platform over.
  '--import',
  './build/test/support/platform.js',
  'scripts/run-tests.mjs',
  ...files,
);
