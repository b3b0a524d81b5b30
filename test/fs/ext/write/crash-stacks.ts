/** What a filesystem may lie on when its machine loses power: the bytes of the disk below, and the way through them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, MemoryDisk, SliceDisk } from '../../../../src/disk/index.js';
import { qcow2 } from '../../../../src/image/qcow2/index.js';
import { newPartitionTable, readPartitionTable } from '../../../../src/partition/index.js';
import {
  assemble,
  createLogicalVolume,
  createPhysicalVolume,
  createVolumeGroup,
  getVolumeGroup,
} from '../../../../src/volume/lvm2/index.js';
import { qemuImg } from '../../../image/qcow2-writing.js';
import { readAll } from '../../../support/gaits.js';
import { RecordingDisk } from '../../../support/recording-disk.js';
import { scratchDirectory } from '../../../support/scratch.js';

export interface Stack {
  readonly name: string;
  /** A disk with these bytes in it. */
  make(fileSystem: Uint8Array): Uint8Array;
  /** What was put in, on such a disk. */
  open(disk: Disk): Disk;
}

const MiB = 1024 * 1024;
const author = { now: 1_600_000_000, command: 'a test' };

function copyInto(target: Disk, bytes: Uint8Array): void {
  // What is zero is left as it is.
  for (let at = 0; at < bytes.length; at += 4096) {
    const piece = bytes.subarray(at, at + 4096);
    if (piece.some((byte) => byte !== 0)) target.write(piece, at);
  }
  target.flush();
}

const alone: Stack = { name: 'alone', make: (bytes) => bytes, open: (disk) => disk };

const inPartition: Stack = {
  name: 'in a partition',
  make(bytes) {
    const whole = new Uint8Array(bytes.length + 2 * MiB);
    const disk = new MemoryDisk(whole, { writable: true });
    const editor = newPartitionTable(disk, 512, 'gpt');
    editor.add({ kind: 'primary', first: 2048, last: 2048 + bytes.length / 512 - 1 });
    editor.write();
    whole.set(bytes, MiB);
    return whole;
  },
  open(disk) {
    const [partition] = readPartitionTable(disk, 512)?.partitions ?? [];
    assert.ok(partition !== undefined);
    return new SliceDisk(disk, partition.startInBytes, partition.sizeInBytes);
  },
};

/** Two physical volumes, behind each other on one recorded disk. */
function membersOf(disk: Disk): { readonly device: string; readonly disk: Disk }[] {
  const size = disk.size / 2;
  const part = (start: number): Disk =>
    disk instanceof RecordingDisk ? disk.part(start, size) : new SliceDisk(disk, start, size);
  return [
    { device: '/dev/sda', disk: part(0) },
    { device: '/dev/sdb', disk: part(size) },
  ];
}

const onVolume: Stack = {
  name: 'on a volume of two segments',
  make(bytes) {
    // Half of it has no room on one of them.
    const half = Math.ceil(bytes.length / 2 / (4 * MiB)) * 4 * MiB + MiB;
    const disk = new MemoryDisk(new Uint8Array(2 * half), { writable: true });
    const members = membersOf(disk);
    for (const { disk: each, device } of members) createPhysicalVolume(each, device)();
    createVolumeGroup('VG', assemble(members).physicalVolumes, author)();
    createLogicalVolume(getVolumeGroup(assemble(members), 'VG'), 'LV', { bytes: bytes.length }, author)();
    copyInto(this.open(disk), bytes);
    return readAll(disk);
  },
  open(disk) {
    const [volume] = assemble(membersOf(disk)).logicalVolumes;
    assert.equal(volume?.text.segments.length, 2);
    return volume?.open() ?? assert.fail();
  },
};

const path = join(scratchDirectory(), 'stack.qcow2');

const inQcow2: Stack = {
  name: 'in an image of qcow2',
  make(bytes) {
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4096', path, `${bytes.length}`);
    const image = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
    const disk = this.open(image);
    copyInto(disk, bytes);
    disk.close();
    return readAll(image);
  },
  open: (disk) =>
    qcow2.open(disk, {
      openNamed: () => assert.fail('the image names no other'),
      warn: () => {},
      writable: disk.writable,
    }),
};

export const stacks: readonly Stack[] = [alone, inPartition, onVolume, inQcow2];
