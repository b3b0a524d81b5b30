/** Filesystems that are read. */
import { type Disk, OverlayDisk, SliceDisk } from '../../src/disk/index.js';
import {
  extDetails,
  type FileSystem,
  type FileSystemDriver,
  fileSystems,
  isoDetails,
} from '../../src/fs/index.js';
import { fixturesIn, readFixture } from '../../test/support/fixtures.js';
import { btrfsFields, extFields, fatFields, isoFields } from '../fields.js';
import { type FieldPlace, part, type Target } from '../target.js';
import { diskOf } from '../trace.js';
import { readStart } from './contents.js';

/** How many files are read in a round, and how many entries are taken from all directories. */
const mostFiles = 300;
const mostEntries = 20_000;
const mostOfFile = 64 * 1024;
const overlayBudget = 16 * 1024 * 1024;

/** Attributes that NTFS answers to and does not list: of the indexes of descriptors and identifiers. */
const unlisted = [
  'system.ntfs_acl',
  'system.ntfs_object_id',
  'system.ntfs_dos_name',
  'system.ntfs_reparse_data',
];

/** Visits every inode that can be reached, and asks everything there is to ask of it. */
function readAll(fileSystem: FileSystem): void {
  const seen = new Set<number>();
  const pending = [fileSystem.root];
  let entries = 0;
  part(() => fileSystem.usage());
  for (let inode = pending.pop(); inode !== undefined && seen.size < mostFiles; inode = pending.pop()) {
    const number = inode;
    if (seen.has(number)) continue;
    seen.add(number);
    part(() => {
      const { mode } = fileSystem.stat(number);
      part(() => fileSystem.xattrs(number));
      for (const name of unlisted) part(() => fileSystem.xattr?.(number, name));
      const type = mode & 0o170000;
      if (type === 0o120000) fileSystem.readlink(number);
      else if (type === 0o100000) readStart(fileSystem.data(number), mostOfFile);
      else if (type === 0o040000) {
        part(() => fileSystem.parent(number));
        let some = '';
        part(() => {
          for (const entry of fileSystem.entries(number)) {
            pending.push(entry.inode);
            some = entry.name;
            if (++entries > mostEntries) break;
          }
        });
        part(() => fileSystem.lookup(number, some));
        part(() => fileSystem.lookup(number, 'no such name'));
      }
    });
  }
}

/** What of ext is read only by those who look for deleted files, or at the filesystem itself. */
function readDetails(fileSystem: FileSystem): void {
  const details = extDetails(fileSystem);
  if (details === undefined) return;
  part(() => details.superblockFacts());
  part(() => details.minimumBlockCount());
  for (let inode = 2; inode <= Math.min(48, details.inodeCount); inode++) {
    part(() => {
      let names = 0;
      for (const { inode: named } of details.names(inode)) {
        if (named !== 0) details.remains(named);
        if (++names > 200) break;
      }
    });
    part(() => details.isInodeInUse(inode));
    part(() => fileSystem.attributeFlags?.(inode));
    part(() => details.generation(inode));
    part(() => readStart(details.bytes(inode), 4096));
  }
  for (let block = 0; block < Math.min(10_000, details.blockCount); block += 397)
    part(() => details.isBlockInUse(block));
}

/** Opens the filesystem as a mount does, reads it, and gives all back. */
function useFileSystem(driver: FileSystemDriver, disk: Disk): void {
  driver.probe(disk);
  let layer: Disk | undefined;
  try {
    const fileSystem = driver.open?.(disk, {
      overlay: (base) => {
        layer = new OverlayDisk(new SliceDisk(base, 0, base.size), { memoryBudget: overlayBudget });
        return layer;
      },
    });
    if (fileSystem === undefined) return;
    readAll(fileSystem);
    readDetails(fileSystem);
    fileSystem.close();
  } finally {
    layer?.close();
  }
}

function fileSystemTarget(
  name: string,
  fixtures: string[],
  fields: (bytes: Uint8Array) => FieldPlace[],
): Target {
  const driver = fileSystems.find((each) => each.name === name);
  if (driver === undefined) throw new Error(`there is no driver ${name}`);
  return {
    name: `fs/${name}`,
    fixtures,
    load,
    fields,
    run(bytes) {
      const disk = diskOf(bytes);
      if (name === 'iso9660') part(() => isoDetails(disk));
      useFileSystem(driver, disk);
    },
  };
}

const journals = /^ext.(dirty|journal|fast-commit)/;
/** Two filesystems with deleted files, on one disk. */
const deleted: Readonly<Record<string, number>> = { 'deleted-ext2': 1, 'deleted-ext4': 2 };

/** A filesystem's bytes: a file, or a mebibyte of the disk with deleted files. */
function load(fixture: string): Uint8Array {
  const mebibyte = 2 ** 20;
  const at = deleted[fixture];
  if (at === undefined) return readFixture(fixture);
  return readFixture('scenarios/deleted.img.gz').slice(at * mebibyte, (at + 1) * mebibyte);
}

const all = [
  ...Object.keys(deleted),
  ...fixturesIn('ext', /\.img\.gz$/),
  'scenarios/ext4.img.gz',
  'cli/names.img.gz',
];

/** Those with a journal to replay are a target of their own, so that it has as many rounds as all others. */
const journal: Target = {
  ...fileSystemTarget(
    'ext',
    all.filter((name) => journals.test(name)),
    extFields,
  ),
  name: 'fs/ext-journal',
};

const special: readonly Target[] = [
  fileSystemTarget(
    'ext',
    all.filter((name) => !journals.test(name)),
    extFields,
  ),
  journal,
  fileSystemTarget('btrfs', fixturesIn('btrfs', /\.img\.gz$/), btrfsFields),
  fileSystemTarget('fat', fixturesIn('fat', /\.img\.gz$/), fatFields),
  fileSystemTarget('iso9660', [...fixturesIn('iso', /\.iso\.gz$/), 'scenarios/disc.iso.gz'], isoFields),
];

/** A driver of which nothing is said above: the images in the folder of its name. */
function plainTarget({ name }: FileSystemDriver): Target {
  return fileSystemTarget(name, fixturesIn(name, /\.img\.gz$/), () => []);
}

export const fileSystemTargets: readonly Target[] = [
  ...special,
  ...fileSystems
    .filter(({ open, name }) => open !== undefined && !special.some((target) => target.name === `fs/${name}`))
    .map(plainTarget),
];
