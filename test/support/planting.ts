/** Sources with errors planted into them as they are built: a test that does not find them proves nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { after } from 'node:test';
import { build, type Plugin } from 'esbuild';

/** One replaced piece of source. */
export interface PlantedText {
  /** The file below src/ and the exact text in it that is replaced. */
  readonly file: string;
  readonly original: string;
  readonly planted: string;
}

/** Puts plants into the sources as they are read. A plant whose text is no longer there, just once, is an error. */
export function planting(chosen: readonly PlantedText[]): Plugin {
  return {
    name: 'planting',
    setup(building) {
      const pending = new Set(chosen);
      building.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        const file = relative(resolve('src'), path).replaceAll('\\', '/');
        const here = chosen.filter((plant) => plant.file === file);
        if (here.length === 0) return undefined;
        let contents = readFileSync(path, 'utf8');
        for (const plant of here) {
          assert.equal(
            contents.split(plant.original).length,
            2,
            `${file} has no longer, or twice: ${plant.original}`,
          );
          contents = contents.replace(plant.original, () => plant.planted);
          pending.delete(plant);
        }
        return { contents, loader: 'ts' };
      });
      building.onEnd(() => assert.deepEqual([...pending], [], 'every plant is in a file that is built'));
    },
  };
}

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

/** A module of the tests at `entry`, built with plants and imported. The caller knows what it exports. */
export async function importPlanted<T>(entry: string, ...plants: readonly PlantedText[]): Promise<T> {
  const outfile = join(placeOfModules(), `mutant-${count++}.js`);
  await build({
    entryPoints: [entry],
    outfile,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    bundle: true,
    // package.json says that no module is wanted for what it does, as is true of src/: the platform of tests is.
    ignoreAnnotations: true,
    packages: 'external',
    logLevel: 'warning',
    plugins: [planting(plants)],
  });
  return (await import(resolve(outfile))) as T;
}
