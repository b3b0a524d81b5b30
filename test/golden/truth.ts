/** What foreign tools saw in an image: the files that `scripts/images/` writes, and where the images are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTruth, type Truth } from '../support/truth.js';

const root = resolve(import.meta.dirname, '../../..');

/** The directory of the images that are made once and not committed. */
export const imageDirectory = process.env.GUESTFS_TEST_IMAGES ?? join(root, '.cache/images');

export const samplePath = join(root, 'samples/debian.qcow2');

function readTruth(path: string): Truth {
  return parseTruth(gunzipSync(readFileSync(path)).toString('utf8'));
}

export const committedTruth = (name: string) =>
  readTruth(join(root, 'test/golden/truth', `${name}.truth.jsonl.gz`));

/** The truth about an image of `imageDirectory`; the name is a path below it with no suffix. */
export const imageTruth = (name: string) => readTruth(join(imageDirectory, `${name}.truth.jsonl.gz`));

/**
 * Options for a test that needs these files of `imageDirectory`: skipped, saying how to make them, where one is
 * missing.
 */
export function needsImages(...names: string[]): { skip?: string } {
  const missing = names.filter((name) => !existsSync(join(imageDirectory, name)));
  if (missing.length === 0) return {};
  return { skip: `no image ${missing.join(', ')} in ${imageDirectory}: run scripts/images/real.sh` };
}

/** The names, with no suffix, of the images of a folder of `imageDirectory` that match. */
export function imageNames(folder: string, pattern: RegExp): string[] {
  const path = join(imageDirectory, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name.replace(/\.[^.]*$/, '')))
    .sort();
}
