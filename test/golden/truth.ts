/** What foreign tools saw in an image: the files that `scripts/images/` writes, and where the images are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One file, as the kernel or debugfs tells it. Times are decimal numbers of seconds with nine digits behind the point. */
export interface ToldFile {
  path: string;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  size: number;
  /** Major and minor number of a device node. */
  rdev: [number, number];
  ino: number;
  /** In units of 512 bytes. */
  blocks: number;
  atime: string;
  mtime: string;
  ctime: string;
  link?: string;
  /** Of regular files; null where the teller could not read the file (it is encrypted). */
  sha256?: string | null;
  /** Values in hexadecimal. */
  xattrs?: Record<string, string>;
}

export interface Truth {
  teller: 'kernel' | 'debugfs';
  type?: string;
  label: string;
  uuid: string;
  /** As statvfs tells it; block counts in units of `blockSize` bytes. */
  statfs?: {
    blockSize: number;
    blocks: number;
    free: number;
    available: number;
    files: number;
    freeFiles: number;
  };
  files: ToldFile[];
}

const root = resolve(import.meta.dirname, '../../..');

/** The directory of the images that are made once and not committed. */
export const imageDirectory = process.env.GUESTFS_TEST_IMAGES ?? join(root, '.cache/images');

export const samplePath = join(root, 'samples/debian.qcow2');

/** Reads a `.truth.jsonl.gz`: the first line tells of the filesystem, each other one of a file. */
export function readTruth(path: string): Truth {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n').filter(Boolean);
  const [head, ...files] = lines.map((line) => JSON.parse(line) as unknown);
  return { ...(head as Omit<Truth, 'files'>), files: files as ToldFile[] };
}

export const committedTruth = (name: string) =>
  readTruth(join(root, 'test/golden/truth', `${name}.truth.jsonl.gz`));

/** The truth about an image of `imageDirectory`; the name is a path below it with no suffix. */
export const imageTruth = (name: string) => readTruth(join(imageDirectory, `${name}.truth.jsonl.gz`));

/** Options for a test that needs these files of `imageDirectory`: skipped, saying how to make them, where one is missing. */
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
