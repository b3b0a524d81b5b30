/** A module of the tests built with an error planted into the sources below it, and imported. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { build } from 'esbuild';
import { type PlantedText, planting } from './planting.js';

let directory: string | undefined;
let count = 0;

/** Where the built modules go: below the project, where packages are found. */
function placeOfModules(): string {
  if (directory === undefined) {
    const made = mkdtempSync(join('build', 'mutants-'));
    after(() => rmSync(made, { recursive: true }));
    directory = made;
  }
  return directory;
}

/** `entry`: the source of the module, from the project's directory. The caller knows what it exports. */
export async function importPlanted<T>(entry: string, ...plants: readonly PlantedText[]): Promise<T> {
  const outfile = join(placeOfModules(), `mutant-${count++}.js`);
  await build({
    entryPoints: [entry],
    outfile,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    bundle: true,
    packages: 'external',
    logLevel: 'warning',
    plugins: [planting(plants)],
  });
  return (await import(resolve(outfile))) as T;
}
