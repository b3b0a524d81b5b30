/** Filesystems with a log to replay, and what recovery makes of them on the disk itself. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Disk, MemoryDisk, SliceDisk } from '../../../src/disk/index.js';
import { incompat } from '../../../src/fs/ext/features.js';
import { ext } from '../../../src/fs/ext/index.js';
import { openJournal } from '../../../src/fs/ext/journal/journal.js';
import { superblock } from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { type CrashCount, type CrashTestOptions, countCrashes } from '../../support/crashes.js';
import { fixturesIn, readFixture } from '../../support/fixtures.js';
import { type Crash, RecordingDisk } from '../../support/recording-disk.js';
import { tellFiles } from '../../support/tell.js';

/** A filesystem that was not unmounted; behind it, where the journal has a device of its own, that device. */
export interface Dirty {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly fileSystemSize: number;
}

function fixture(name: string): Dirty {
  const bytes = readFixture(name);
  return { name: basename(name, '.img.gz'), bytes, fileSystemSize: bytes.length };
}

function external(name: string): Dirty {
  const fileSystem = readFixture(name);
  const log = readFixture(name.replace('.img.gz', '.log.gz'));
  const bytes = new Uint8Array(fileSystem.length + log.length);
  bytes.set(fileSystem);
  bytes.set(log, fileSystem.length);
  return { name: basename(name, '.img.gz'), bytes, fileSystemSize: fileSystem.length };
}

export const journals = fixturesIn('ext', /^(?:journal|dirty)-.*\.img\.gz$/);
export const fastCommits = fixturesIn('ext', /^fast-commit-.*\.img\.gz$/);
export const externals = fixturesIn('ext-external', /\.img\.gz$/);

/** Reads a fixture by its path. */
export function readDirty(path: string): Dirty {
  return path.startsWith('ext-external') ? external(path) : fixture(path);
}

/** Images of scripts/images, where they were made: each a filesystem of the kernel, cut off. */
export function dirtyImages(): string[] {
  const folder = '.cache/images';
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^dirty-.*\.raw$/.test(name))
    .map((name) => join(folder, name));
}

export function readDirtyImage(path: string): Dirty {
  const bytes = new Uint8Array(readFileSync(path));
  return { name: basename(path, '.raw'), bytes, fileSystemSize: bytes.length };
}

/** The disk of the filesystem, and that of its journal. */
function partsOf(dirty: Dirty, all: Disk): { disk: Disk; log: Disk | undefined } {
  const logSize = dirty.bytes.length - dirty.fileSystemSize;
  if (logSize === 0) return { disk: all, log: undefined };
  const part = (start: number, size: number): Disk =>
    all instanceof RecordingDisk ? all.part(start, size) : new SliceDisk(all, start, size);
  return { disk: part(0, dirty.fileSystemSize), log: part(dirty.fileSystemSize, logSize) };
}

/** Whether there is something in the log though the superblock asks for no replay: e2fsck complains of that. */
function isForgotten(dirty: Dirty, all: Disk): boolean {
  const { disk, log } = partsOf(dirty, all);
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined || (superblock.decode(bytes).s_feature_incompat & incompat.needsRecovery) !== 0)
    return false;
  const volume = new ExtVolume(disk, decodeSuperblock(bytes, disk.size), { warn: () => {}, strict: false });
  return openJournal(volume, () => log).raw.s_start !== 0;
}

/** Mounts on the disk itself, which is thereby recovered. */
export function recoverOn(dirty: Dirty, all: Disk): FileSystem {
  const { disk, log } = partsOf(dirty, all);
  if (ext.open === undefined) throw new Error('the driver cannot open');
  return ext.open(disk, { overlay: (own) => own, findJournal: () => log });
}

/** All that a mount shows: every file with its contents, and how full the filesystem is. */
export function treeOf(dirty: Dirty, all: Disk): string {
  const fs = recoverOn(dirty, all);
  const lines = [...tellFiles(fs)].map((file) => JSON.stringify(file));
  const { id: _, ...usage } = fs.usage();
  fs.close();
  return [...lines, JSON.stringify(usage)].join('\n');
}

/**
 * The superblock has two sectors of 512 bytes, and the second holds the checksum of both: on a disk that can tear it,
 * it can be lost, to the kernel as to us. So disks have sectors of 4 KiB here where superblocks have checksums.
 */
function sectorSizeOf(dirty: Dirty): number {
  const raw = superblock.decode(dirty.bytes, 1024);
  return (raw.s_feature_ro_compat & 0x400) === 0 ? 512 : 4096;
}

const checkOf = (dirty: Dirty): ((crash: Crash) => void) => {
  const expected = treeOf(dirty, new MemoryDisk(dirty.bytes.slice(), { writable: true }));
  return ({ image }) => {
    if (isForgotten(dirty, image)) assert.fail('the log is not empty, and the filesystem asks for no replay');
    const found = treeOf(dirty, image);
    if (found !== expected) assert.fail('the tree is another');
    // What was recovered twice is clean, and the same once more.
    if (treeOf(dirty, image) !== expected) assert.fail('the tree is another after a second recovery');
  };
};

/** Recovers on a disk that loses power. */
export function crashRecovery(dirty: Dirty, options: CrashTestOptions): CrashCount {
  const check = checkOf(dirty);
  const recover = (disk: RecordingDisk): void => recoverOn(dirty, disk).close();
  return countCrashes(dirty.bytes, recover, check, { sectorSize: sectorSizeOf(dirty), ...options });
}
