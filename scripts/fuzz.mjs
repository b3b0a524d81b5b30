// Builds, and fuzzes the parsers: `npm run fuzz -- --help` tells the options.
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);
ensureInstalled();
run(process.execPath, 'scripts/build.mjs', 'test');
const { buildFuzzer } = await import('../build/fuzz/build.js');
await buildFuzzer('build/fuzzer');
run(process.execPath, '--enable-source-maps', 'build/fuzzer/main.js', ...process.argv.slice(2));
