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
import { type FieldPlace, type Parts, part, readVolume, type Target } from '../target.js';
import { diskOf } from '../trace.js';
import { readStart } from './contents.js';
import { chooseSites, useInode, useSite } from './trees.js';

/** How many files are read in a round that walks, and how many entries are taken from all directories. */
const mostFiles = 300;
const mostEntries = 20_000;
const mostRanges = 1000;
const overlayBudget = 16 * 1024 * 1024;

/** Visits every inode that can be reached, and asks everything there is to ask of it. */
function readAll(fileSystem: FileSystem): void {
  const seen = new Set<number>();
  const pending = [fileSystem.root];
  let entries = 0;
  for (let inode = pending.pop(); inode !== undefined && seen.size < mostFiles; inode = pending.pop()) {
    if (seen.has(inode)) continue;
    seen.add(inode);
    const below = useInode(fileSystem, inode, mostEntries - entries);
    entries += below.length;
    for (const each of below) pending.push(each);
  }
}

/** What concerns the whole filesystem. */
function readUsage(fileSystem: FileSystem): void {
  part(() => fileSystem.usage());
  part(() => {
    let ranges = 0;
    for (const _ of fileSystem.freeRanges?.() ?? []) if (++ranges > mostRanges) break;
  });
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

/** Opens the filesystem as a mount does, uses it, and gives all back. */
function withFileSystem(driver: FileSystemDriver, disk: Disk, use: (fileSystem: FileSystem) => void): void {
  let layer: Disk | undefined;
  try {
    const fileSystem = driver.open?.(disk, {
      overlay: (base) => {
        layer = new OverlayDisk(new SliceDisk(base, 0, base.size), { memoryBudget: overlayBudget });
        return layer;
      },
    });
    if (fileSystem === undefined) return;
    use(fileSystem);
    fileSystem.close();
  } finally {
    layer?.close();
  }
}

/** Uses the filesystem's parts: its files, and what concerns the whole of it. */
function partsOf(driver: FileSystemDriver, bytes: Uint8Array): Parts {
  let chosen: ReturnType<typeof chooseSites> = { sites: [], known: new Set() };
  part(() => withFileSystem(driver, diskOf(bytes), (fileSystem) => (chosen = chooseSites(fileSystem))));
  const { sites, known } = chosen;
  // Some drivers number files as they meet them: a number alone says nothing to those.
  const byPath = sites.some(({ inode }) => {
    let isFound: true | undefined;
    part(() =>
      withFileSystem(driver, diskOf(bytes), (fileSystem) => {
        isFound = part(() => fileSystem.stat(inode)) && true;
      }),
    );
    return isFound === undefined;
  });
  const uses = [
    readUsage,
    readDetails,
    ...sites.map((site) => (fileSystem: FileSystem) => useSite(fileSystem, site, known, byPath)),
  ];
  return {
    count: uses.length,
    run(input, numbers) {
      const disk = diskOf(input);
      driver.probe(disk);
      withFileSystem(driver, disk, (fileSystem) => {
        for (const number of numbers) uses[number]?.(fileSystem);
      });
    },
  };
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
    parts: (bytes) => partsOf(driver, bytes),
    run(bytes) {
      const disk = diskOf(bytes);
      driver.probe(disk);
      if (name === 'iso9660') part(() => isoDetails(disk));
      withFileSystem(driver, disk, (fileSystem) => {
        readUsage(fileSystem);
        readAll(fileSystem);
        readDetails(fileSystem);
      });
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
  if (at === undefined) return readVolume(fixture);
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
