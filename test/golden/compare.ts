/** Compares all that the library tells of a mounted filesystem with what a foreign tool told. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeText } from '../../src/base/index.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import type { ToldFile, Truth } from './truth.js';

export interface Comparison {
  /** Where the filesystem is mounted. Default `/`. */
  mountPoint?: string;
  /** Fields of the truth that this filesystem makes up as it goes (a FAT has no inode numbers). */
  without?: (keyof ToldFile)[];
  /** Paths that are not looked at, with all below them. */
  except?: (path: string) => boolean;
  /** Whether free blocks and inodes are compared too. Default true. */
  statvfs?: boolean;
}

/** How many differences a failure names. */
const shown = 20;

const kindOf = (file: ToldFile) => file.mode & 0o170000;
const directory = 0o040000;
const regular = 0o100000;
const symlink = 0o120000;

/** Seconds and nanoseconds (0 … 999,999,999) of a decimal number. */
function splitTime(time: string): [number, number] {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)\.(\d{9})$/.exec(time) ?? [];
  const seconds = Number(whole);
  const nanoseconds = Number(fraction);
  if (sign !== '-') return [seconds, nanoseconds];
  return nanoseconds === 0 ? [0 - seconds, 0] : [-seconds - 1, 1e9 - nanoseconds];
}

/** A device number as the C library packs it. */
function deviceNumber([major, minor]: [number, number]): number {
  const low = ((major & 0xfff) << 8) | (minor & 0xff);
  return low + Math.floor(minor / 256) * 2 ** 20 + Math.floor(major / 4096) * 2 ** 44;
}

/** Collects differences, and fails with the first of them. */
class Differences {
  readonly #found: string[] = [];
  count = 0;

  add(path: string, what: string, ours: unknown, theirs: unknown): void {
    this.count++;
    const show = (value: unknown) => JSON.stringify(value)?.slice(0, 300);
    if (this.count <= shown)
      this.#found.push(`${JSON.stringify(path)} ${what}: ${show(ours)}, told as ${show(theirs)}`);
  }

  compare(path: string, what: string, ours: unknown, theirs: unknown): void {
    if (ours !== theirs) this.add(path, what, ours, theirs);
  }

  throwIfAny(): void {
    assert.equal(this.count, 0, `${String(this.count)} differences:\n${this.#found.join('\n')}`);
  }
}

/** The truth's files by directory: names sorted, with the files. */
function byDirectory(files: ToldFile[]): Map<string, Map<string, ToldFile>> {
  const directories = new Map<string, Map<string, ToldFile>>();
  for (const file of files) if (kindOf(file) === directory) directories.set(file.path, new Map());
  for (const file of files) {
    if (file.path === '/') continue;
    const slash = file.path.lastIndexOf('/');
    const parent = directories.get(file.path.slice(0, slash) || '/');
    assert.ok(parent, `the truth has no directory for ${file.path}`);
    parent.set(file.path.slice(slash + 1), file);
  }
  return directories;
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

/** The attributes of each of a directory's names: the flat list holds an entry with no name and the count before each file's. */
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

/** Fails, naming the first differences, unless the filesystem at the mount point is as it was told. */
export async function compareTree(g: Guestfs, truth: Truth, options: Comparison = {}): Promise<void> {
  const { mountPoint = '/', without = [], except = () => false, statvfs = true } = options;
  const skipped = new Set(without);
  const at = (path: string) => (mountPoint === '/' ? path : path === '/' ? mountPoint : mountPoint + path);
  const differences = new Differences();
  const files = truth.files.filter((file) => !except(file.path));
  const told = files.length;
  const directories = byDirectory(files);
  let compared = 0;

  const compareFile = (file: ToldFile, stat: Awaited<ReturnType<Guestfs['lstatns']>>) => {
    const ours: Record<string, number> = {
      mode: stat.stMode,
      nlink: stat.stNlink,
      uid: stat.stUid,
      gid: stat.stGid,
      size: stat.stSize,
      ino: stat.stIno,
      blocks: stat.stBlocks,
    };
    for (const [field, value] of Object.entries(ours)) {
      const key = field as keyof ToldFile;
      if (!skipped.has(key)) differences.compare(file.path, field, value, file[key]);
    }
    differences.compare(file.path, 'rdev', stat.stRdev, deviceNumber(file.rdev));
    const times = {
      atime: [stat.stAtimeSec, stat.stAtimeNsec],
      mtime: [stat.stMtimeSec, stat.stMtimeNsec],
      ctime: [stat.stCtimeSec, stat.stCtimeNsec],
    };
    for (const [field, ours] of Object.entries(times)) {
      const key = field as 'atime' | 'mtime' | 'ctime';
      if (skipped.has(key)) continue;
      differences.compare(file.path, field, ours.join(':'), splitTime(file[key]).join(':'));
    }
  };

  const compareAttributes = (file: ToldFile, ours: Map<string, string> | undefined) => {
    // debugfs shows ACLs only in their on-disk form
    const telling = ([name]: [string, string]) => truth.teller === 'kernel' || !name.startsWith('system.');
    const theirs = Object.entries(file.xattrs ?? {}).filter(telling);
    const told = JSON.stringify(theirs.sort());
    const found = JSON.stringify([...(ours ?? new Map<string, string>())].filter(telling).sort());
    differences.compare(file.path, 'attributes', found, told);
  };

  const rootFile = truth.files.find((file) => file.path === '/');
  assert.ok(rootFile, 'the truth has no root directory');
  compareFile(rootFile, await g.lstatns(at('/')));

  for (const [path, files] of directories) {
    const theirs = [...files.keys()].sort();
    const ours = (await g.ls(at(path))).filter(
      (name) => !except(path === '/' ? `/${name}` : `${path}/${name}`),
    );
    const listed = new Set(ours);
    for (const name of ours) if (!files.has(name)) differences.add(path, 'holds', name, undefined);
    for (const name of theirs) if (!listed.has(name)) differences.add(path, 'lacks', undefined, name);
    const names = theirs.filter((name) => listed.has(name));
    if (names.length === 0) continue;
    const stats = await g.lstatnslist(at(path), names);
    const attributes = skipped.has('xattrs') ? [] : await attributeLists(g, at(path), names);
    assert.equal(stats.length, names.length, `lstatnslist of ${path}`);
    for (const [index, name] of names.entries()) {
      const file = files.get(name);
      const stat = stats[index];
      assert.ok(file && stat);
      compared++;
      compareFile(file, stat);
      if (!skipped.has('xattrs')) compareAttributes(file, attributes[index]);
      if (kindOf(file) === symlink)
        differences.compare(file.path, 'link', await g.readlink(at(file.path)), file.link);
    }
  }
  if (differences.count === 0) assert.equal(compared, told - 1, 'files compared');

  await compareContents(g, truth, { mountPoint, except, differences, at });
  if (statvfs && truth.statfs && truth.type !== 'vfat') {
    const ours = await g.statvfs(at('/'));
    const { blockSize, blocks, free, available, files, freeFiles } = truth.statfs;
    const told = { bsize: blockSize, blocks, bfree: free, bavail: available, files, ffree: freeFiles };
    for (const [field, value] of Object.entries(told))
      differences.compare('/', `statvfs ${field}`, ours[field as keyof typeof told], value);
  }
  differences.throwIfAny();
}

/** Every regular file's checksum; a file that the teller could not read, we do not read either. */
async function compareContents(
  g: Guestfs,
  truth: Truth,
  how: {
    mountPoint: string;
    except(path: string): boolean;
    differences: Differences;
    at(path: string): string;
  },
): Promise<void> {
  const files = truth.files.filter((file) => kindOf(file) === regular && !how.except(file.path));
  const whole =
    files.every((file) => file.sha256 !== null) && !truth.files.some((file) => how.except(file.path));
  const sums = whole ? await checksums(g, how.mountPoint) : undefined;
  for (const file of files) {
    if (file.sha256 === null) {
      await assert.rejects(g.checksum('sha256', how.at(file.path)), { code: 'ENOTSUP' }, file.path);
      continue;
    }
    const ours = sums ? sums.get(file.path) : await g.checksum('sha256', how.at(file.path));
    how.differences.compare(file.path, 'sha256', ours, file.sha256);
  }
  if (sums) how.differences.compare('/', 'number of checksums', sums.size, files.length);
}
