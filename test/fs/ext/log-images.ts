/** Small filesystems whose logs wrap soon, made by mke2fs. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import { journalSuperblockChecksum } from '../../../src/fs/ext/journal/checksum.js';
import { openJournal } from '../../../src/fs/ext/journal/journal.js';
import { journalIncompat, journalSuperblock } from '../../../src/fs/ext/journal/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { qcow2 } from '../../../src/image/qcow2/index.js';
import { qemuImg } from '../../image/qcow2-writing.js';
import { readAll } from '../../support/gaits.js';
import { toolEnvironment } from '../../support/tools.js';
import type { LogImage } from './log-model.js';
import { externals, readDirty, recoverOn } from './recovery.js';

export interface LogKind {
  readonly name: string;
  /** Of mke2fs. */
  readonly options: readonly string[];
  /** In KiB. Default 4096. */
  readonly size?: number;
  /** A filesystem with an external journal, as read by `readDirty`, in place of one that is made. */
  readonly fixture?: string;
  readonly isMapped?: boolean;
  /** In an image of qcow2 that takes space as it is written. */
  readonly isQcow2?: boolean;
  /** What the superblock of the journal says before. */
  readonly journal?: { readonly sequence?: number; readonly features?: number; readonly length?: number };
  /** In bytes: what a disk does not tear. The superblock, where it has a checksum, must not be torn. */
  readonly sectorSize: number;
}

const small = ['-b', '1024', '-N', '32', '-O', '^resize_inode', '-J', 'size=1'];
const { checksumV2, checksumV3, fastCommit } = journalIncompat;

export const logKinds: readonly LogKind[] = [
  { name: 'checksums of version 3', options: ['-t', 'ext4', ...small], sectorSize: 4096 },
  { name: 'no checksums', options: ['-t', 'ext3', ...small], sectorSize: 512 },
  // Shorter than the kernel takes it, so that it wraps around again and again.
  { name: 'a short log', options: ['-t', 'ext3', ...small], journal: { length: 180 }, sectorSize: 512 },
  {
    name: 'checksums of version 2',
    options: ['-t', 'ext4', '-O', '^64bit', ...small],
    journal: { features: checksumV2 },
    sectorSize: 4096,
  },
  {
    name: 'numbers that wrap around',
    options: ['-t', 'ext4', '-O', '^metadata_csum', ...small],
    journal: { sequence: 0xfffffff0 },
    sectorSize: 512,
  },
  {
    name: 'room for fast commits',
    options: ['-t', 'ext4', '-O', 'fast_commit', ...small.slice(0, -1), 'size=2'],
    size: 6144,
    journal: { features: fastCommit | checksumV3, sequence: 0x7ffffff0 },
    sectorSize: 4096,
  },
  { name: 'a volume of two segments', options: ['-t', 'ext3', ...small], isMapped: true, sectorSize: 512 },
  { name: 'an image of qcow2', options: ['-t', 'ext3', ...small], isQcow2: true, sectorSize: 512 },
  // mke2fs wants a block device for it.
  { name: 'an external journal', options: [], fixture: externals[0] as string, sectorSize: 4096 },
];

/** Makes a filesystem in files of `directory`. */
export function makeLogImage(directory: string, kind: LogKind): LogImage {
  const { options, size = 4096, fixture, isMapped = false, isQcow2 = false, journal = {} } = kind;
  if (fixture !== undefined) {
    const dirty = readDirty(fixture);
    recoverOn(dirty, new MemoryDisk(dirty.bytes, { writable: true })).close();
    return dirty;
  }
  const file = join(directory, 'made');
  rmSync(file, { force: true });
  writeFileSync(file, '');
  truncateSync(file, size * 1024);
  execFileSync('mke2fs', ['-q', '-F', ...options, file], { env: toolEnvironment });
  let bytes: Uint8Array = new Uint8Array(readFileSync(file));
  const fileSystemSize = bytes.length;
  setJournal(bytes, journal);
  if (isQcow2) return inQcow2(directory, bytes);
  // The first half of what is on the disk is the second of the volume.
  if (isMapped)
    bytes = Buffer.concat([bytes.subarray(bytes.length / 2), bytes.subarray(0, bytes.length / 2)]);
  return { bytes: new Uint8Array(bytes), fileSystemSize, isMapped };
}

/** Changes what the superblock of a journal says. */
function setJournal(
  bytes: Uint8Array,
  { sequence = 1, features = 0, length }: NonNullable<LogKind['journal']>,
): void {
  const disk = new MemoryDisk(bytes, { writable: true });
  const superblock = decodeSuperblock(readSuperblockBytes(disk) as Uint8Array, disk.size); // safe: made just now
  const volume = new ExtVolume(disk, superblock, { warn: () => {}, strict: false });
  const journal = openJournal(volume, undefined);
  const own = bytes.subarray(journal.offsetOf(0), journal.offsetOf(0) + journalSuperblock.size);
  const isSummed = (features & (checksumV2 | checksumV3)) !== 0;
  journalSuperblock.encode(
    {
      s_sequence: sequence,
      s_feature_incompat: features,
      s_checksum_type: isSummed ? 4 : 0,
      s_maxlen: length ?? journal.length,
    },
    own,
  );
  if (isSummed) journalSuperblock.encode({ s_checksum: journalSuperblockChecksum(own) }, own);
}

/** Clusters that hold nothing are not there yet. */
function inQcow2(directory: string, bytes: Uint8Array): LogImage {
  const path = join(directory, 'made.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4096', path, `${bytes.length}`);
  const image = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
  const disk = openQcow2(image);
  for (let at = 0; at < bytes.length; at += 4096) {
    const cluster = bytes.subarray(at, at + 4096);
    if (cluster.some((byte) => byte !== 0)) disk.write(cluster, at);
  }
  disk.flush();
  return { bytes: readAll(image), fileSystemSize: bytes.length, open: openQcow2 };
}

function openQcow2(image: Disk): Disk {
  const openNamed = (): never => {
    throw new Error('the image names no other');
  };
  return qcow2.open(image, { openNamed, warn: () => {}, writable: image.writable });
}
