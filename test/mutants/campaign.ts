/** `npm run fuzz -- mutants`: plants every error into what writes to disks, one by one, and tells who found it. */
import { parseArgs } from 'node:util';
import { left, mutants } from './index.js';
import { findBy, findMutant } from './mutant.js';

const help = `Usage: npm run fuzz -- mutants [OPTIONS] [WORD...]

Plants errors into the sources that write to disks, one by one: a barrier, a
revoke, an escape or an order that is left out. For each, a hunt cuts what is
written at many places, and must come upon a state that may not be. The status
is 1 where one was not found.

  WORD      only those in whose error or file it is
  --list    tells them alone
  --help    this text`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});

async function main(): Promise<boolean> {
  const chosen = mutants.filter(
    ({ error, file }) =>
      positionals.length === 0 || positionals.some((word) => error.includes(word) || file.includes(word)),
  );
  let unfound = 0;
  // A hunt that finds something in the sources as they are proves nothing.
  const hunts = new Map(chosen.flatMap((each) => each.hunts.map((hunt) => [hunt.join(' '), hunt])));
  if (!values.list)
    for (const [name, hunt] of hunts) {
      const found = await findBy(hunt);
      if (found === undefined) continue;
      unfound++;
      console.log(`without a plant, ${name}: ${found}`);
    }
  for (const mutant of chosen) {
    const title = `${mutant.error} (${mutant.file})`;
    if (values.list) {
      console.log(title);
      continue;
    }
    const begin = performance.now();
    const found = await findMutant(mutant);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1).padStart(5);
    if (found === undefined) unfound++;
    console.log(`${seconds} s  ${title}\n         ${found?.split('\n')[0] ?? 'NOT FOUND'}`);
  }
  console.log(
    `${chosen.length} mutants, ${unfound} not found; ${left.length} barriers are known to be harmless`,
  );
  return unfound > 0;
}

if (values.help) console.log(help);
else process.exitCode = (await main()) ? 1 : 0;
