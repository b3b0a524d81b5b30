/**
 * `npm run fuzz -- write`: random operations on filesystems of every kind against the model, for as long as is asked. A
 * finding is told with what repeats it.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { byE2fsck, crashOperations, journalled, unjournalled } from './crash-model.js';
import { stacks } from './crash-stacks.js';
import { checkImage, kinds, makeImage, rareKinds } from './images.js';
import { ModelTest } from './model.js';

const help = `Usage: npm run fuzz -- write [OPTIONS]

Changes filesystems at random, and a model of them in memory; compares both, and
has e2fsck look at the result. Some are cut at many places too: where there is a
journal, our own recovery and e2fsck must come to a state that was, and without
one, e2fsck must find all that was synced.
The status is 1 where something was found.

  --seconds N      how long to go on (default 60)
  --seed N         seed of the first filesystem (default: by the clock)
  --kind NAME      only this kind of filesystem
  --operations N   on each filesystem (default 3000); 0 for crashes alone
  --crashes N      of each filesystem that is cut (default 400)
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
    crashes: { type: 'string', default: '400' },
    help: { type: 'boolean', default: false },
  },
});

/** One filesystem. How many operations changed something. */
function round(kind: string, seed: number, operations: number): number {
  if (operations === 0) return 0;
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

interface CrashTotals {
  own: number;
  byE2fsck: number;
}

/** Crashes of operations on a filesystem, on what it may lie on in turn. */
function crash(kind: string, seed: number, totals: CrashTotals): void {
  const crashed = [...journalled, ...unjournalled].find(([name]) => name === kind);
  if (crashed === undefined) return;
  const stack = stacks[Math.floor(seed / 7) % stacks.length] ?? assert.fail();
  const most = Number(values.crashes);
  const run = (parameters: Parameters<typeof crashOperations>): number => {
    const { wrong, cuts } = crashOperations(...parameters);
    for (const each of wrong) throw new Error(`${stack.name}, ${each} (${wrong.length} of ${cuts})`);
    return cuts;
  };
  totals.own += run([crashed, { seed, operations: 100, most, stack }]);
  const fewer = { seed, operations: 50, most: Math.ceil(most / 16), stack };
  totals.byE2fsck += run([crashed, fewer, byE2fsck(crashed)]);
}

function main(): boolean {
  const first = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
  const crashed = [...journalled, ...unjournalled].map(([kind]) => kind);
  const every = values.operations === '0' ? crashed : Object.keys({ ...kinds, ...rareKinds });
  const chosen = values.kind === undefined ? every : [values.kind];
  const end = performance.now() + Number(values.seconds) * 1000;
  console.log(`seed ${first}`);
  const total = new Map<string, number>();
  let found = 0;
  const crashes: CrashTotals = { own: 0, byE2fsck: 0 };
  const crashesTold = (): string =>
    `${crashes.own} crashes and ${crashes.byE2fsck} judged by e2fsck, from seed ${first}`;
  let told = performance.now();
  const sum = (): number => [...total.values()].reduce((all, count) => all + count, 0);
  for (let seed = first; performance.now() < end; seed++) {
    if (performance.now() > told + 60_000) {
      told = performance.now();
      console.log(`${sum()} operations, ${crashesTold()} up to ${seed}`);
    }
    const kind = chosen[seed % chosen.length] ?? '';
    try {
      total.set(kind, (total.get(kind) ?? 0) + round(kind, seed, Number(values.operations)));
      crash(kind, seed, crashes);
    } catch (thrown) {
      found++;
      console.log(
        `\n--kind '${kind}' --seed ${seed} --seconds 1 --operations ${values.operations} --crashes ${values.crashes}`,
      );
      console.log(thrown instanceof Error ? thrown.stack : String(thrown));
    }
  }
  for (const [kind, count] of total)
    console.log(`${kind.padEnd(40)} ${String(count).padStart(9)} operations`);
  console.log(`${sum()} operations in all, ${crashesTold()}; ${found} findings`);
  return found > 0;
}

if (values.help) console.log(help);
else process.exitCode = main() ? 1 : 0;
