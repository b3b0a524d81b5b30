/**
 * `npm run fuzz -- write`: random operations on filesystems of every kind against the model, for as long as is asked. A
 * finding is told with what repeats it.
 */
import { parseArgs } from 'node:util';
import { crashOperations, journalled } from './crash-model.js';
import { checkImage, kinds, makeImage, rareKinds, replayedByE2fsck } from './images.js';
import { ModelTest } from './model.js';

const help = `Usage: npm run fuzz -- write [OPTIONS]

Changes filesystems at random, and a model of them in memory; compares both, and
has e2fsck look at the result. Where there is a journal, operations are cut at
many places too, and our own recovery and e2fsck must come to a state that was.
The status is 1 where something was found.

  --seconds N      how long to go on (default 60)
  --seed N         seed of the first filesystem (default: by the clock)
  --kind NAME      only this kind of filesystem
  --operations N   on each filesystem (default 3000)
  --help           this text`;

/** Operations between two looks at the whole. */
const part = 750;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    kind: { type: 'string' },
    operations: { type: 'string', default: '3000' },
    help: { type: 'boolean', default: false },
  },
});

/** One filesystem. How many operations changed something. */
function round(kind: string, seed: number, operations: number): number {
  const model = new ModelTest(makeImage(kind), seed, { mostBytes: seed % 3 === 0 ? 200_000 : 20_000 });
  let done = 0;
  for (let at = 0; at < operations; at += part) {
    done = model.run(Math.min(part, operations - at));
    model.compare(`seed ${seed}`);
    model.reopen();
    model.compare(`seed ${seed}, reopened`);
    checkImage(model.image, `seed ${seed}`);
  }
  model.close();
  return done;
}

/** Crashes of operations on a filesystem that has a journal. How many were looked at. */
function crash(kind: string, seed: number): number {
  const journal = journalled.find(([name]) => name === kind);
  if (journal === undefined) return 0;
  const own = crashOperations(journal, { seed, operations: 100, most: 400 });
  const foreign = crashOperations(journal, { seed, operations: 50, most: 25 }, replayedByE2fsck);
  for (const wrong of [...own.wrong, ...foreign.wrong]) throw new Error(wrong);
  return own.cuts + foreign.cuts;
}

function main(): boolean {
  const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
  const chosen = values.kind === undefined ? Object.keys({ ...kinds, ...rareKinds }) : [values.kind];
  const end = performance.now() + Number(values.seconds) * 1000;
  console.log(`seed ${first}`);
  const total = new Map<string, number>();
  let found = 0;
  let crashes = 0;
  let told = performance.now();
  const sum = (): number => [...total.values()].reduce((all, count) => all + count, 0);
  for (let seed = first; performance.now() < end; seed++) {
    if (performance.now() > told + 60_000) {
      told = performance.now();
      console.log(`${sum()} operations and ${crashes} crashes, from seed ${first} up to ${seed}`);
    }
    const kind = chosen[seed % chosen.length] ?? '';
    try {
      total.set(kind, (total.get(kind) ?? 0) + round(kind, seed, Number(values.operations)));
      crashes += crash(kind, seed);
    } catch (thrown) {
      found++;
      console.log(`\n--kind '${kind}' --seed ${seed} --seconds 1 --operations ${values.operations}`);
      console.log(thrown instanceof Error ? thrown.stack : String(thrown));
    }
  }
  for (const [kind, count] of total)
    console.log(`${kind.padEnd(40)} ${String(count).padStart(9)} operations`);
  console.log(`${sum()} operations in all and ${crashes} crashes, from seed ${first}; ${found} findings`);
  return found > 0;
}

if (values.help) console.log(help);
else process.exitCode = main() ? 1 : 0;
