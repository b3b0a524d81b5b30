/** Sources with errors planted into them as they are built: a test that does not find them proves nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

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
    setup(build) {
      const pending = new Set(chosen);
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
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
      build.onEnd(() => assert.deepEqual([...pending], [], 'every plant is in a file that is built'));
    },
  };
}
