// Builds, and runs the benchmarks beside the peers; see bench/main.ts for the options. The direct backend has its own:
//   node scripts/bench.mjs appliance    see bench/appliance.ts
// The images are made once, by scripts/images/, where --make-images is among the options; those that only one group of
// jobs has are made for that alone: node scripts/bench.mjs formats --make-images
import { ensureInstalled, root, run } from './run.mjs';

process.chdir(root);

const args = process.argv.slice(2);
const option = args.indexOf('--make-images');
if (option !== -1) {
  args.splice(option, 1);
  run(
    'bash',
    'scripts/images/real.sh',
    '.cache/images',
    'debian',
    'big',
    ...(args[0] === 'write' ? [] : ['many']),
  );
  if (args[0] === 'formats') run('bash', 'scripts/images/formats.sh', '.cache/images');
}
ensureInstalled();
run(process.execPath, 'scripts/build.mjs');
run(process.execPath, 'scripts/build.mjs', 'test');
const isAppliance = args[0] === 'appliance';
if (isAppliance) args.shift();
run(process.execPath, isAppliance ? 'build/bench/appliance.js' : 'build/bench/main.js', ...args);
