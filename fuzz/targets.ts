/** What is fuzzed: each parser with its fixtures, and a walk that reads everything it gives. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeXz, GuestfsError } from '../src/base/index.js';
import { type Disk, MemoryDisk, OverlayDisk, SliceDisk } from '../src/disk/index.js';
import { extDetails, type FileSystem, type FileSystemDriver, fileSystems } from '../src/fs/index.js';
import { imageFormats } from '../src/image/index.js';
import { readPartitionTable } from '../src/partition/index.js';
import { assemble } from '../src/volume/index.js';

export interface Target {
  readonly name: string;
  /** Fixture files below test/fixtures that this target starts from. */
  readonly fixtures: readonly string[];
  /** Reads all it can. Throws a GuestfsError for what is refused. */
  run(bytes: Uint8Array): void;
}

const fixtureRoot = join('test', 'fixtures');
/** Larger fixtures make slow rounds and find nothing more. */
const largestFixture = 96 * 1024 * 1024;
/** How much of one file, and of all files together, is read in a round. */
const bytesOfFile = 1024 * 1024;
const filesOfRound = 400;

export function loadFixture(name: string): Uint8Array {
  const packed = readFileSync(join(fixtureRoot, name));
  return name.endsWith('.gz')
    ? gunzipSync(packed, { maxOutputLength: largestFixture })
    : new Uint8Array(packed);
}

function fixtures(folder: string, wanted: RegExp): string[] {
  return readdirSync(join(fixtureRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => wanted.test(name))
    .map((name) => join(folder, name))
    .sort();
}

const scratch = new Uint8Array(bytesOfFile);

function readStart(disk: Disk): void {
  for (let at = 0; at < Math.min(disk.size, bytesOfFile); ) {
    const span = disk.span(at, Math.min(disk.size - at, bytesOfFile));
    if (!span.hole) disk.read(scratch.subarray(0, Math.min(span.length, bytesOfFile)), at);
    at += span.length;
  }
  if (disk.size > bytesOfFile) disk.read(scratch.subarray(0, 512), disk.size - 512);
}

/** Runs a part whose refusal leaves the rest readable. */
function part(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
  }
}

/** Visits every inode that can be reached, and asks everything there is to ask of it. */
function readAll(fileSystem: FileSystem): void {
  const seen = new Set<number>();
  const pending = [fileSystem.root];
  part(() => void fileSystem.usage());
  for (let inode = pending.pop(); inode !== undefined && seen.size < filesOfRound; inode = pending.pop()) {
    const number = inode;
    if (seen.has(number)) continue;
    seen.add(number);
    part(() => {
      const { mode } = fileSystem.stat(number);
      part(() => void fileSystem.xattrs(number));
      const type = mode & 0o170000;
      if (type === 0o120000) fileSystem.readlink(number);
      else if (type === 0o100000) readStart(fileSystem.data(number));
      else if (type === 0o040000) {
        part(() => void fileSystem.parent(number));
        let some = '';
        for (const entry of fileSystem.entries(number)) {
          pending.push(entry.inode);
          some = entry.name;
          if (pending.length > 100_000) break;
        }
        part(() => void fileSystem.lookup(number, some));
        part(() => void fileSystem.lookup(number, 'no such name'));
      }
    });
  }
}

/** What of ext is read only by those who look for deleted files. */
function readDeleted(fileSystem: FileSystem): void {
  const details = extDetails(fileSystem);
  if (details === undefined) return;
  part(() => void details.minimumBlockCount());
  for (let inode = 2; inode <= Math.min(200, details.inodeCount); inode++) {
    part(() => {
      for (const { inode: named } of details.names(inode)) if (named !== 0) details.remains(named);
    });
    part(() => void details.isInodeInUse(inode));
  }
  for (let block = 0; block < Math.min(10000, details.blockCount); block += 13)
    part(() => void details.isBlockInUse(block));
}

function fileSystemTarget(driver: FileSystemDriver, folder: string, wanted: RegExp): Target {
  return {
    name: `fs/${driver.name}`,
    fixtures: fixtures(folder, wanted),
    run(bytes) {
      const disk = new MemoryDisk(bytes);
      driver.probe(disk);
      if (driver.open === undefined) return;
      let layer: Disk | undefined;
      try {
        const fileSystem = driver.open(disk, {
          overlay: (base) => {
            layer = new OverlayDisk(new SliceDisk(base, 0, base.size), { memoryBudget: 64 * 1024 * 1024 });
            return layer;
          },
        });
        readAll(fileSystem);
        readDeleted(fileSystem);
        fileSystem.close();
      } finally {
        layer?.close();
      }
    },
  };
}

const driver = (name: string): FileSystemDriver => {
  const found = fileSystems.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no driver ${name}`);
  return found;
};

const qcow2: Target = {
  name: 'image/qcow2',
  fixtures: fixtures('qcow2', /\.qcow2\.gz$/),
  run(bytes) {
    const format = imageFormats.find(({ name }) => name === 'qcow2');
    const file = new MemoryDisk(bytes);
    format?.probe(file);
    format?.info(file);
    const disk = format?.open(file, {
      openNamed: () => new MemoryDisk(new Uint8Array(64 * 1024)),
      warn: () => {},
    });
    if (disk) readStart(disk);
  },
};

const partitions: Target = {
  name: 'partition',
  fixtures: fixtures('partition', /\.gz$/).filter((name) => !name.includes('.json')),
  run(bytes) {
    for (const sectorSize of [512, 4096]) {
      part(() => {
        const disk = new MemoryDisk(bytes);
        for (const { startInBytes, deviceSizeInBytes } of readPartitionTable(disk, sectorSize)?.partitions ??
          []) {
          new SliceDisk(disk, startInBytes, deviceSizeInBytes);
        }
      });
    }
  },
};

const lvm: Target = {
  name: 'volume/lvm2',
  fixtures: fixtures('lvm', /\.gz$/).filter((name) => !name.includes('.json')),
  run(bytes) {
    const state = assemble([{ device: '/dev/sda', disk: new MemoryDisk(bytes) }]);
    for (const { logicalVolumes } of state.volumeGroups) {
      for (const volume of logicalVolumes) part(() => readStart(volume.open()));
    }
  },
};

const xz: Target = {
  name: 'base/xz',
  fixtures: fixtures('xz', /\.xz$/),
  run: (bytes) => void decodeXz(bytes, 64 * 1024 * 1024),
};

export const targets: readonly Target[] = [
  fileSystemTarget(driver('ext'), 'ext', /\.(img|ext[234]|raw)\.gz$/),
  fileSystemTarget(driver('fat'), 'fat', /\.(img|fat|raw)\.gz$/),
  fileSystemTarget(driver('iso9660'), 'iso', /\.(iso|img)\.gz$/),
  qcow2,
  partitions,
  lvm,
  xz,
];
