// Builds, and fuzzes the parsers: `npm run fuzz -- --help` tells the options, and `npm run fuzz -- write --help` those
// of random changes.
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);
ensureInstalled();
run(process.execPath, 'scripts/build.mjs', 'test');
// What writes is tried against a model instead.
if (process.argv[2] === 'write') {
  const options = ['--enable-source-maps', '--import', './build/test/support/platform.js'];
  run(process.execPath, ...options, 'build/test/fs/ext/write/campaign.js', ...process.argv.slice(3));
  process.exit(0);
}
const { buildFuzzer } = await import('../build/fuzz/build.js');
await buildFuzzer('build/fuzzer');
run(process.execPath, '--enable-source-maps', 'build/fuzzer/main.js', ...process.argv.slice(2));
