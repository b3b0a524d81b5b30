// Builds, and runs the benchmarks beside the peers; see bench/main.ts for the options. The direct backend has its own:
//   node scripts/bench.mjs appliance    see bench/appliance.ts
// The images are made once, by scripts/images/real.sh: node scripts/bench.mjs --make-images
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);

const args = process.argv.slice(2);
if (args[0] === '--make-images') {
  args.shift();
  run('bash', 'scripts/images/real.sh', '.cache/images', 'debian', 'many', 'big');
}
ensureInstalled();
run(process.execPath, 'scripts/build.mjs');
run(process.execPath, 'scripts/build.mjs', 'test');
const isAppliance = args[0] === 'appliance';
if (isAppliance) args.shift();
run(process.execPath, isAppliance ? 'build/bench/appliance.js' : 'build/bench/main.js', ...args);
