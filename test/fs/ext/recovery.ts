/** Filesystems with a log to replay, and what recovery makes of them on the disk itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Disk, SliceDisk } from '../../../src/disk/index.js';
import { incompat } from '../../../src/fs/ext/features.js';
import { ext } from '../../../src/fs/ext/index.js';
import { openJournal } from '../../../src/fs/ext/journal/journal.js';
import { superblock } from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { fixturesIn, readFixture } from '../../support/fixtures.js';
import { RecordingDisk } from '../../support/recording-disk.js';
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
export function isForgotten(dirty: Dirty, all: Disk): boolean {
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
