// Builds, and fuzzes the parsers: see fuzz/main.ts for the options.
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);
ensureInstalled();
run(process.execPath, 'scripts/build.mjs', 'test');
run(process.execPath, 'build/fuzz/main.js', ...process.argv.slice(2));
