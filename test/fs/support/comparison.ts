/** Compares everything that a driver tells of a volume with what the kernel told. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { CorruptError, UnsupportedError } from '../../../src/base/index.js';
import type { Disk } from '../../../src/disk/index.js';
import type { FileSystem, InodeNumber, Time } from '../../../src/fs/driver.js';
import type { Told, Truth } from './volumes.js';

export const kindOf = (mode: number) => mode & 0o170000;
export const directoryKind = 0o040000;
export const regularKind = 0o100000;
export const symlinkKind = 0o120000;

/** Seconds and nanoseconds of a decimal number. */
function splitTime(text: string): string {
  const [, sign, whole, fraction] = /^(-?)(\d+)\.(\d{9})$/.exec(text) ?? [];
  const nanoseconds = Number(fraction);
  const seconds = Number(whole) * (sign === '-' ? -1 : 1);
  return sign === '-' && nanoseconds > 0
    ? `${seconds - 1}:${1e9 - nanoseconds}`
    : `${seconds}:${nanoseconds}`;
}

const shownTime = ({ seconds, nanoseconds }: Time) => `${seconds}:${nanoseconds}`;

/** All of a disk. */
export function readAll(disk: Disk): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The contents' sum; null where the file is damaged or not supported. */
function sumOf(fs: FileSystem, inode: InodeNumber): string | null {
  try {
    return sha256(readAll(fs.data(inode)));
  } catch (error) {
    if (error instanceof CorruptError || error instanceof UnsupportedError) return null;
    throw error;
  }
}

/** A link's target; empty where it is damaged, as find prints it. */
function targetOf(fs: FileSystem, inode: InodeNumber): string {
  try {
    return fs.readlink(inode);
  } catch (error) {
    if (error instanceof CorruptError) return '';
    throw error;
  }
}

/** Fails with a list of all differences. `without` names fields of the truth that are not compared. */
export function assertEqualsTruth(
  fs: FileSystem,
  truth: Truth,
  without: ReadonlySet<keyof Told> = new Set(),
  except: (path: string, field: string) => boolean = () => false,
): void {
  const differences: string[] = [];
  const seen = new Set<string>();
  const compare = (path: string, field: string, ours: unknown, theirs: unknown) => {
    if (ours === theirs || without.has(field as keyof Told) || except(path, field)) return;
    differences.push(`${JSON.stringify(path)} ${field}: ${String(ours)}, told as ${String(theirs)}`);
  };
  const visit = (inode: InodeNumber, path: string): void => {
    const told = truth.files.get(path);
    if (told === undefined) {
      differences.push(`${JSON.stringify(path)} is not told of`);
      return;
    }
    seen.add(path);
    const stat = fs.stat(inode);
    const ours = {
      mode: stat.mode,
      nlink: stat.linkCount,
      uid: stat.uid,
      gid: stat.gid,
      size: stat.sizeInBytes,
      blocks: stat.blockCount512,
      ino: stat.inode,
    };
    for (const [field, value] of Object.entries(ours)) compare(path, field, value, told[field as keyof Told]);
    compare(path, 'rdev', `${stat.deviceMajor}:${stat.deviceMinor}`, told.rdev.join(':'));
    compare(path, 'atime', shownTime(stat.accessed), splitTime(told.atime));
    compare(path, 'mtime', shownTime(stat.modified), splitTime(told.mtime));
    compare(path, 'ctime', shownTime(stat.changed), splitTime(told.ctime));
    const kind = kindOf(stat.mode);
    if (kind === symlinkKind) compare(path, 'link', targetOf(fs, inode), told.link);
    if (kind === regularKind) compare(path, 'sha256', sumOf(fs, inode), told.sha256);
    if (kind !== directoryKind) return;
    for (const entry of fs.entries(inode)) {
      const below = path === '/' ? `/${entry.name}` : `${path}/${entry.name}`;
      compare(below, 'lookup', fs.lookup(inode, entry.name), entry.inode);
      if (kindOf(fs.stat(entry.inode).mode) === directoryKind) {
        compare(below, 'parent', fs.parent(entry.inode), inode);
      }
      visit(entry.inode, below);
    }
  };
  visit(fs.root, '/');
  for (const path of truth.files.keys()) {
    if (!seen.has(path)) differences.push(`${JSON.stringify(path)} is missing`);
  }
  const usage = fs.usage();
  const told = truth.statfs;
  compare('/', 'statvfs blockSize', usage.blockSize, told.blockSize);
  compare('/', 'statvfs blocks', usage.blocks, told.blocks);
  compare('/', 'statvfs freeBlocks', usage.freeBlocks, told.free);
  compare('/', 'statvfs availableBlocks', usage.availableBlocks, told.available);
  compare('/', 'statvfs inodes', usage.inodes, told.files);
  compare('/', 'statvfs nameMax', usage.nameMax, told.nameLength);
  assert.deepEqual(differences, []);
}

/** Reads a disk whole, block by block, and at odd offsets and lengths; fails where these differ. The bytes. */
export function readInThreeGaits(disk: Disk): Uint8Array {
  const whole = readAll(disk);
  for (const step of [512, 1021]) {
    const pieces = new Uint8Array(disk.size);
    for (let at = 0; at < disk.size; at += step) {
      disk.read(pieces.subarray(at, Math.min(at + step, disk.size)), at);
    }
    assert.ok(Buffer.from(pieces).equals(whole), `reading ${step} bytes at a time gives other bytes`);
  }
  for (let at = disk.size - 7; at > 0; at -= 4999) {
    const piece = new Uint8Array(7);
    disk.read(piece, at);
    assert.deepEqual(piece, whole.slice(at, at + 7), `at ${at}`);
  }
  return whole;
}

/** The inode of a path. */
export function find(fs: FileSystem, path: string): InodeNumber {
  let inode = fs.root;
  for (const name of path.split('/').filter(Boolean)) {
    const next = fs.lookup(inode, name);
    assert.notEqual(next, undefined, `${path}: no ${name}`);
    inode = next as InodeNumber;
  }
  return inode;
}

/** The names of a directory in stored order. */
export function list(fs: FileSystem, path: string): string[] {
  return [...fs.entries(find(fs, path))].map(({ name }) => name);
}
