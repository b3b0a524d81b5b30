/** A filesystem as a driver tells it, in the words of a truth. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CorruptError, UnsupportedError } from '../../src/base/index.js';
import type { Disk } from '../../src/disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  FileType,
  InodeNumber,
  OnDamage,
} from '../../src/fs/index.js';
import {
  directoryType,
  regularType,
  symlinkType,
  type ToldFile,
  type ToldUsage,
  timeText,
  typeOf,
} from './truth.js';

/** The inode of a path. */
export function find(fs: FileSystem, path: string): InodeNumber {
  let inode = fs.root;
  for (const name of path.split('/').filter(Boolean)) {
    const next = fs.lookup(inode, name);
    assert.notEqual(next, undefined, `${path}: no ${name}`);
    inode = next as InodeNumber; // safe: just checked
  }
  return inode;
}

/** The names of a directory in stored order. */
export function list(fs: FileSystem, path: string): string[] {
  return [...fs.entries(find(fs, path))].map(({ name }) => name);
}

/** A file on a walk; the root has no entry. */
export interface Walked {
  readonly path: string;
  readonly inode: InodeNumber;
  readonly mode: number;
  readonly directory: InodeNumber;
  readonly entry?: DirectoryEntry;
}

/**
 * Every file, the root first. A directory that is met again is not entered again. `onDamage`: as of `entries`; without
 * it, a directory that cannot be read ends the walk.
 */
export function* walkFiles(fs: FileSystem, onDamage?: OnDamage): Generator<Walked> {
  const seen = new Set<InodeNumber>([fs.root]);
  yield { path: '/', inode: fs.root, mode: fs.stat(fs.root).mode, directory: fs.root };
  const pending = [{ path: '', directory: fs.root }];
  for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
    const { directory } = above;
    for (const entry of fs.entries(directory, onDamage)) {
      const { inode } = entry;
      const path = `${above.path}/${entry.name}`;
      const { mode } = fs.stat(inode);
      yield { path, inode, mode, directory, entry };
      if (typeOf({ mode }) !== directoryType || seen.has(inode)) continue;
      seen.add(inode);
      pending.push({ path, directory: inode });
    }
  }
}

/** Every file's inode by its path, the root first. */
export function pathsOf(fs: FileSystem): Map<string, InodeNumber> {
  return new Map([...walkFiles(fs)].map(({ path, inode }) => [path, inode]));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The sum of a disk's bytes, which are read a mebibyte at a time. */
export function sha256OfDisk(disk: Disk): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(disk.size, 1 << 20));
  for (let at = 0; at < disk.size; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, disk.size - at));
    disk.read(part, at);
    hash.update(part);
  }
  return hash.digest('hex');
}

/** What `work` gives; `instead` where the file is damaged, or of a kind that is not implemented. */
function unless<T, Instead>(instead: Instead, work: () => T): T | Instead {
  try {
    return work();
  } catch (error) {
    if (error instanceof CorruptError || error instanceof UnsupportedError) return instead;
    throw error;
  }
}

/** Files of a gibibyte and more have no sum, as in what scripts/lib/tree-listing.sh writes down. */
const leastUnsummed = 2 ** 30;

/** One file. What cannot be read is null or empty, as in a truth. */
export function tellFile(fs: FileSystem, path: string, inode: InodeNumber): ToldFile {
  const stat = fs.stat(inode);
  const type = typeOf(stat);
  const xattrs = [...fs.xattrs(inode, () => {})].map(
    ([name, value]) => [name, Buffer.from(value).toString('hex')] as const,
  );
  return {
    path,
    mode: stat.mode,
    nlink: stat.linkCount,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.sizeInBytes,
    rdev: [stat.deviceMajor, stat.deviceMinor],
    ino: stat.inode,
    blocks: stat.blockCount512,
    atime: timeText(stat.accessed),
    mtime: timeText(stat.modified),
    ctime: timeText(stat.changed),
    ...(type === symlinkType ? { link: unless('', () => fs.readlink(inode)) } : {}),
    ...(type === regularType ? { sha256: sumOf(fs, inode, stat.sizeInBytes) } : {}),
    ...(xattrs.length > 0 ? { xattrs: Object.fromEntries(xattrs) } : {}),
  };
}

function sumOf(fs: FileSystem, inode: InodeNumber, size: number): string | null {
  return size >= leastUnsummed ? null : unless(null, () => sha256OfDisk(fs.data(inode)));
}

/** All files. */
export function* tellFiles(fs: FileSystem): Generator<ToldFile> {
  for (const { path, inode } of walkFiles(fs)) yield tellFile(fs, path, inode);
}

export function tellUsage(usage: FileSystemUsage): ToldUsage {
  assert.equal(usage.blockSize, usage.fragmentSize, 'statvfs counts in blocks');
  return {
    blockSize: usage.fragmentSize,
    blocks: usage.blocks,
    free: usage.freeBlocks,
    available: usage.availableBlocks,
    files: usage.inodes,
    freeFiles: usage.freeInodes,
    nameLength: usage.nameMax,
  };
}

const types: ReadonlyMap<number, FileType> = new Map([
  [0o010000, 'fifo'],
  [0o020000, 'character'],
  [0o040000, 'directory'],
  [0o060000, 'block'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o140000, 'socket'],
]);

/** The type that a directory's entry has for a file of this mode, where it tells one. */
export function entryTypeOf(mode: number): FileType {
  return types.get(typeOf({ mode })) ?? 'unknown';
}
