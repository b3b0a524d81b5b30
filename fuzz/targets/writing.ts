/** What is read only by those who change it: bitmaps, indexes, maps, tables of clusters, metadata of groups. */
import { OverlayDisk, SliceDisk } from '../../src/disk/index.js';
import {
  type FileSystem,
  type FileSystemDriver,
  type FileSystemWriter,
  fileSystems,
} from '../../src/fs/index.js';
import { editPartitionTable, readPartitionTable } from '../../src/partition/index.js';
import {
  assemble,
  changePhysicalVolumeUuid,
  createLogicalVolume,
  type LogicalVolume,
  renameLogicalVolume,
  type VolumeGroup,
} from '../../src/volume/lvm2/index.js';
import { fixturesIn } from '../../test/support/fixtures.js';
import { extFields, fatFields, lvmFields, partitionFields } from '../fields.js';
import { type FieldPlace, type Parts, part, readVolume, type Target } from '../target.js';
import { diskOf } from '../trace.js';

const memoryBudget = 32 * 1024 * 1024;
const author = { now: 1_600_000_000, command: 'a round' };

/** A layer over the input, which stays as it is. */
function layerOf(bytes: Uint8Array): OverlayDisk {
  const disk = diskOf(bytes);
  return new OverlayDisk(new SliceDisk(disk, 0, disk.size), { memoryBudget });
}

/** Numbers from a place on, each so many bytes long. */
const numbersFrom = (at: number, length: number, count: number): FieldPlace[] =>
  Array.from({ length: count }, (_, index) => ({ at: at + index * length, length, little: true }));

/** The words of the bitmaps of ext's first group: who writes believes them. */
function extBitmaps(bytes: Uint8Array): FieldPlace[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blockSize = 1024 << view.getUint32(1024 + 24, true);
  const descriptor = (view.getUint32(1024 + 20, true) + 1) * blockSize;
  const [blocks, inodes] = [0, 4].map((at) => view.getUint32(descriptor + at, true) * blockSize);
  return [...numbersFrom(blocks ?? 0, 4, 128), ...numbersFrom(inodes ?? 0, 4, 16)];
}

/** Of FAT the first words of the table, and in a root of a fixed size the cluster and the size of each entry. */
function fatPlaces(bytes: Uint8Array): FieldPlace[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sector = view.getUint16(11, true);
  const table = view.getUint16(14, true) * sector;
  const root = table + view.getUint8(16) * view.getUint16(22, true) * sector;
  const entries = view.getUint16(17, true) === 0 ? 0 : 24;
  return [
    ...numbersFrom(table, 4, 24),
    ...Array.from({ length: entries }, (_, index) => root + 32 * index).flatMap((at) => [
      { at: at + 26, length: 2, little: true },
      { at: at + 28, length: 4, little: true },
    ]),
  ];
}

const owner = { permissions: 0o644, uid: 1, gid: 2 } as const;
/** How many of the root's entries are changed, each in each way. */
const mostEntries = 8;
const madeName = 'made in this round';
const madeLength = 5000;

type Use = (fs: FileSystem, writer: FileSystemWriter) => void;

/** What is done with one entry of the root. */
const changesOfEntry: readonly ((
  entry: { name: string; inode: number },
  ...[fs, writer]: Parameters<Use>
) => void)[] = [
  ({ inode }, _fs, writer) => {
    writer.setXattr(inode, 'user.round', new Uint8Array(300));
    writer.setXattr(inode, 'user.round', undefined);
  },
  ({ inode }, _fs, writer) => {
    const contents = writer.contents(inode);
    try {
      part(() => contents.write(new Uint8Array(5000).fill(1), contents.size));
      part(() => contents.zero(100, 9000, { discard: true }));
      part(() => contents.resize(50));
    } finally {
      contents.close();
    }
  },
  ({ inode }, _fs, writer) => {
    for (let number = 0; number < 12; number++)
      part(() => writer.create(inode, `below ${number}`, { type: 'file', ...owner }));
  },
  ({ name }, fs, writer) => writer.rename(fs.root, name, fs.root, `${name}.2`),
  ({ name }, fs, writer) => writer.unlink(fs.root, name),
  ({ name }, fs, writer) => writer.rmdir(fs.root, name),
];

/** What is done in the root. */
const changesOfRoot: readonly Use[] = [
  (fs, writer) => {
    for (let number = 0; number < 20; number++)
      part(() => writer.create(fs.root, `a new name ${number}`, { type: 'file', ...owner }));
  },
  (fs, writer) => {
    const below = writer.create(fs.root, 'directory', { type: 'directory', ...owner });
    writer.create(below, 'file', { type: 'file', ...owner });
    writer.rename(below, 'file', fs.root, 'file');
    writer.rmdir(fs.root, 'directory');
  },
];

/** A file of this round; whether all that it took was accepted. */
function makeFile(fs: FileSystem, writer: FileSystemWriter): boolean {
  const made = part(() => {
    const contents = writer.contents(writer.create(fs.root, madeName, { type: 'file', ...owner }));
    try {
      contents.write(new Uint8Array(madeLength).fill(0xa5), 0);
    } finally {
      contents.close();
    }
    return true;
  });
  return made === true && part(() => writer.sync() ?? true) === true;
}

/**
 * Changes a filesystem, and makes a file in it. Where nothing was refused, what is there then opens again: whoever
 * believes what damage says of free places does not keep that.
 */
function changeAndReopen(driver: FileSystemDriver, bytes: Uint8Array, uses: readonly Use[]): void {
  const disk = layerOf(bytes);
  const open = (): FileSystem | undefined =>
    driver.open?.(disk, { overlay: (base) => base, readonly: false });
  try {
    const fs = open();
    if (fs === undefined) return;
    const { writer } = fs;
    let isMade = false;
    if (writer !== undefined) {
      for (const use of uses) part(() => use(fs, writer));
      isMade = makeFile(fs, writer);
    }
    if (part(() => fs.close() ?? true) === undefined || !isMade) return;
    try {
      open();
    } catch (cause) {
      throw new Error('what was written does not open again', { cause });
    }
  } finally {
    disk.close();
  }
}

function writerParts(driver: FileSystemDriver, bytes: Uint8Array): Parts {
  const entries: { name: string; inode: number }[] = [];
  part(() => {
    const fs = driver.open?.(layerOf(bytes), { overlay: (base) => base, readonly: false });
    if (fs === undefined) return;
    for (const { name, inode } of fs.entries(fs.root))
      if (entries.length < mostEntries) entries.push({ name, inode });
  });
  const uses: Use[] = [
    ...changesOfRoot,
    ...entries.flatMap((entry) =>
      changesOfEntry.map(
        (change): Use =>
          (fs, writer) => {
            // Some drivers number files as they meet them.
            const inode = fs.lookup(fs.root, entry.name);
            if (inode !== undefined) change({ name: entry.name, inode }, fs, writer);
          },
      ),
    ),
  ];
  return {
    count: uses.length,
    run: (input, chosen) =>
      changeAndReopen(
        driver,
        input,
        chosen.flatMap((number) => uses[number] ?? []),
      ),
  };
}

function writerTarget(name: string, fixtures: string[], fields: (bytes: Uint8Array) => FieldPlace[]): Target {
  const driver = fileSystems.find((each) => each.name === name);
  if (driver === undefined) throw new Error(`there is no driver ${name}`);
  return {
    name: `write/${name}`,
    fixtures,
    load: readVolume,
    fields,
    parts: (bytes) => writerParts(driver, bytes),
    run(bytes) {
      const { count, run } = writerParts(driver, bytes);
      return run(
        bytes,
        Array.from({ length: Math.min(count, 16) }, (_, number) => number),
      );
    },
  };
}

const partitions: Target = {
  name: 'write/partition',
  fixtures: fixturesIn('partition', /\.img\.gz$/),
  fields: partitionFields,
  run(bytes) {
    const disk = layerOf(bytes);
    try {
      const table = part(() => readPartitionTable(disk, 512));
      if (table === undefined) return;
      const editor = editPartitionTable(disk, 512, table.scheme);
      const { first, last } = editor.usable;
      part(() => editor.add({ kind: 'primary', first: Math.max(first, last - 9), last }));
      part(() => editor.add({ kind: 'logical', first: Math.max(first, last - 9), last }));
      for (const { number } of table.partitions.slice(0, 4)) {
        part(() => editor.setBootable(number, true));
        part(() => editor.resize(number, first + 100));
      }
      for (const { number } of table.partitions.slice(0, 2)) part(() => editor.remove(number));
      part(() => editor.write());
    } finally {
      disk.close();
    }
  },
};

/** Extents of physical volumes that a new volume shares with another. */
function checkExtents(group: VolumeGroup | undefined, made: string): void {
  if (group === undefined) return;
  const runsOf = ({ text }: LogicalVolume) =>
    text.segments.flatMap(({ stripes, extentCount }) =>
      stripes.map(({ name, extent }) => ({ name, from: extent, to: extent + extentCount / stripes.length })),
    );
  const own = group.logicalVolumes.filter(({ name }) => name === made).flatMap(runsOf);
  const others = group.logicalVolumes.filter(({ name }) => name !== made).flatMap(runsOf);
  for (const one of own)
    for (const other of others)
      if (one.name === other.name && one.from < other.to && other.from < one.to)
        throw new Error('the volume that was made has extents of another');
}

const lvm: Target = {
  name: 'write/lvm2',
  fixtures: fixturesIn('lvm', /\.img\.gz$/),
  fields: lvmFields,
  hasText: true,
  run(bytes) {
    const disk = layerOf(bytes);
    try {
      const state = () => assemble([{ device: '/dev/sda', disk }]);
      for (const group of state().volumeGroups) {
        const isMade = part(() => {
          createLogicalVolume(group, 'round', { percentOfFree: 50 }, author)();
          return true;
        });
        const groups = state().volumeGroups;
        if (isMade === true)
          checkExtents(
            groups.find(({ uuid }) => uuid === group.uuid),
            'round',
          );
      }
      for (const volume of state().logicalVolumes.slice(0, 3))
        part(() => renameLogicalVolume(volume, 'another', author)());
      for (const volume of state().physicalVolumes) part(() => changePhysicalVolumeUuid(volume, author)());
    } finally {
      disk.close();
    }
  },
};

export const writingTargets: readonly Target[] = [
  writerTarget('ext', fixturesIn('ext', /\.img\.gz$/), (bytes) => [
    ...extFields(bytes),
    ...extBitmaps(bytes),
  ]),
  writerTarget('fat', fixturesIn('fat', /\.img\.gz$/), (bytes) => [...fatFields(), ...fatPlaces(bytes)]),
  partitions,
  lvm,
];
