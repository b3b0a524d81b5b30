// Builds, and fuzzes the parsers: `npm run fuzz -- --help` tells the options, `npm run fuzz -- write --help` those
// of random changes, and `npm run fuzz -- mutants --help` those of planted errors.
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);
ensureInstalled();
run(process.execPath, 'scripts/build.mjs', 'test');
// What writes is tried against a model instead, and the tests of its order against errors that are planted.
const campaigns = { write: 'fs/ext/write/campaign.js', mutants: 'mutants/campaign.js' };
const campaign = campaigns[process.argv[2]];
if (campaign !== undefined) {
  const options = ['--enable-source-maps', '--import', './build/test/support/platform.js'];
  run(process.execPath, ...options, `build/test/${campaign}`, ...process.argv.slice(3));
  process.exit(0);
}
const { buildFuzzer } = await import('../build/fuzz/build.js');
await buildFuzzer('build/fuzzer');
run(process.execPath, '--enable-source-maps', 'build/fuzzer/main.js', ...process.argv.slice(2));
