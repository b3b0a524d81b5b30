/** Errors that are put into the parsers to see whether the fuzzer finds them: one replaced piece of source each. */
import { readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { PlantedText } from '../support/planting.js';

export interface Plant extends PlantedText {
  /** What is wrong with the planted source. */
  readonly error: string;
  /** Where it is to be found. */
  readonly target: string;
  readonly fixtures: readonly string[];
  /** What is said of the round. */
  readonly finding: RegExp;
}

/** Every file in test/fuzz/plants has a list of them: a new parser's are in a file of their own. */
export async function readPlants(): Promise<readonly Plant[]> {
  const files = readdirSync(resolve('test/fuzz/plants')).sort();
  const modules = await Promise.all(
    files.map(
      (file) => import(`./plants/${basename(file, '.ts')}.js`) as Promise<{ plants: readonly Plant[] }>,
    ),
  );
  return modules.flatMap(({ plants }) => plants);
}
