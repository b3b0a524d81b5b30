/** Compares all that the library tells of a mounted filesystem with what a foreign tool told. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeText } from '../../src/base/index.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import { compareFiles, compareUsage, Differences } from '../support/comparison.js';
import {
  directoryType,
  regularType,
  symlinkType,
  type ToldFile,
  type Truth,
  timeText,
  typeOf,
} from '../support/truth.js';

export interface MountComparison {
  /** Where the filesystem is mounted. Default `/`. */
  readonly mountPoint?: string;
  /** Fields of the truth that this filesystem makes up as it goes (a FAT has no inode numbers). */
  readonly without?: readonly (keyof ToldFile)[];
  /** Paths that are not looked at, with all below them. */
  readonly except?: (path: string) => boolean;
  /** Whether free blocks and inodes are compared too. Default true. */
  readonly statvfs?: boolean;
}

type Stat = Awaited<ReturnType<Guestfs['lstatns']>>;

/** Major and minor number, as the C library packs them into one. */
function splitDevice(device: number): [number, number] {
  const high = Math.floor(device / 2 ** 44) * 4096;
  const minorHigh = (Math.floor(device / 2 ** 20) % 2 ** 24) * 256;
  return [high + (Math.floor(device / 256) % 4096), minorHigh + (device % 256)];
}

/** What `lstatns` tells, in the words of a truth. */
function toldOf(path: string, stat: Stat): ToldFile {
  return {
    path,
    mode: stat.stMode,
    nlink: stat.stNlink,
    uid: stat.stUid,
    gid: stat.stGid,
    size: stat.stSize,
    rdev: splitDevice(stat.stRdev),
    ino: stat.stIno,
    blocks: stat.stBlocks,
    atime: timeText({ seconds: stat.stAtimeSec, nanoseconds: stat.stAtimeNsec }),
    mtime: timeText({ seconds: stat.stMtimeSec, nanoseconds: stat.stMtimeNsec }),
    ctime: timeText({ seconds: stat.stCtimeSec, nanoseconds: stat.stCtimeNsec }),
  };
}

/** `checksumsOut`'s lines: `SUM  ./PATH`; a backslash in front marks a path with escapes. */
async function checksums(g: Guestfs, mountPoint: string): Promise<Map<string, string>> {
  const scratch = mkdtempSync(join(tmpdir(), 'guestfs-golden-'));
  try {
    const file = join(scratch, 'sums');
    await g.checksumsOut('sha256', mountPoint, file);
    const sums = new Map<string, string>();
    const escapes: Record<string, string> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' };
    for (const line of readFileSync(file, 'latin1').split('\n')) {
      if (!line) continue;
      const [, escaped, sum = '', name = ''] = /^(\\?)([0-9a-f]{64}) [ *]\.(\/.*)$/.exec(line) ?? [];
      assert.ok(sum, `checksumsOut wrote the line ${JSON.stringify(line)}`);
      const plain = escaped ? name.replace(/\\[\\nr]/g, (pair) => escapes[pair] ?? pair) : name;
      sums.set(decodeText(Buffer.from(plain, 'latin1')), sum);
    }
    return sums;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * The attributes of each of a directory's names: the flat list holds an entry with no name and the count before each
 * file's.
 */
async function attributeLists(g: Guestfs, path: string, names: string[]): Promise<Map<string, string>[]> {
  const lists: Map<string, string>[] = [];
  let left = 0;
  for (const { attrname, attrval } of await g.lxattrlist(path, names)) {
    const value = Buffer.from(attrval);
    if (left === 0 && attrname === '') {
      // As from libguestfs, the count is a C string: its NUL comes with it.
      left = Number.parseInt(value.toString('latin1'), 10);
      lists.push(new Map());
    } else {
      left--;
      lists.at(-1)?.set(attrname, value.toString('hex'));
    }
  }
  return lists;
}

/** What a mounted filesystem is asked. */
interface Questions {
  readonly at: (path: string) => string;
  readonly except: (path: string) => boolean;
  readonly attributes: boolean;
}

/** All files, without the sums of their contents. */
async function tellMounted(g: Guestfs, { at, except, attributes }: Questions): Promise<ToldFile[]> {
  const files = [toldOf('/', await g.lstatns(at('/')))];
  const pending = [''];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const place = at(directory || '/');
    const names = (await g.ls(place)).filter((name) => !except(`${directory}/${name}`));
    if (names.length === 0) continue;
    const stats = await g.lstatnslist(place, names);
    const lists = attributes ? await attributeLists(g, place, names) : [];
    assert.equal(stats.length, names.length, `lstatnslist of ${place}`);
    for (const [index, name] of names.entries()) {
      const stat = stats[index];
      assert.ok(stat);
      const file = toldOf(`${directory}/${name}`, stat);
      const xattrs = lists[index];
      files.push({
        ...file,
        ...(typeOf(file) === symlinkType ? { link: await g.readlink(at(file.path)) } : {}),
        ...(xattrs && xattrs.size > 0 ? { xattrs: Object.fromEntries(xattrs) } : {}),
      });
      if (typeOf(file) === directoryType) pending.push(file.path);
    }
  }
  return files;
}

/** A file's sum; null where the file is of a kind that is not supported. */
async function sumOf(g: Guestfs, path: string): Promise<string | null> {
  try {
    return await g.checksum('sha256', path);
  } catch (thrown) {
    if ((thrown as { code?: string }).code === 'ENOTSUP') return null;
    throw thrown;
  }
}

/** The files with the sums of their contents: asked for all at once where every file can be read. */
async function withSums(
  g: Guestfs,
  files: readonly ToldFile[],
  mountPoint: string,
  at: Questions['at'],
  whole: boolean,
): Promise<ToldFile[]> {
  const regular = files.filter((file) => typeOf(file) === regularType);
  const sums = whole ? await checksums(g, mountPoint) : new Map<string, string | null>();
  if (whole) assert.equal(sums.size, regular.length, 'number of checksums');
  else for (const { path } of regular) sums.set(path, await sumOf(g, at(path)));
  return files.map((file) => {
    const sha256 = sums.get(file.path);
    return sha256 === undefined ? file : { ...file, sha256 };
  });
}

/** Fails, naming the first differences, unless the filesystem at the mount point is as it was told. */
export async function compareTree(g: Guestfs, truth: Truth, options: MountComparison = {}): Promise<void> {
  const { mountPoint = '/', without = [], except = () => false, statvfs = true } = options;
  const at = (path: string) => (mountPoint === '/' ? path : path === '/' ? mountPoint : mountPoint + path);
  const kept = [...truth.files].filter(([path]) => path === '/' || !except(path));
  const told = new Map(kept);
  const whole = kept.length === truth.files.size && kept.every(([, { sha256 }]) => sha256 !== null);
  const files = await tellMounted(g, { at, except, attributes: !without.includes('xattrs') });
  const differences = new Differences();
  // The attributes of the root are no entry of a directory.
  const root = told.get('/');
  assert.ok(root, 'the truth has no root directory');
  const { xattrs: _, ...plainRoot } = root;
  told.set('/', plainRoot);
  const ours = await withSums(g, files, mountPoint, at, whole);
  const compared = compareFiles(ours, { ...truth, files: told }, differences, { without });
  if (differences.count === 0) assert.equal(compared, told.size, 'files compared');
  if (statvfs && truth.statfs && truth.type !== 'vfat') {
    const { bsize, blocks, bfree, bavail, files: inodes, ffree } = await g.statvfs(at('/'));
    const usage = {
      blockSize: bsize,
      blocks,
      free: bfree,
      available: bavail,
      files: inodes,
      freeFiles: ffree,
    };
    compareUsage(usage, truth.statfs, differences, ['nameLength']);
  }
  differences.throwIfAny();
}
