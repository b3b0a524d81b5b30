/** What is read only by those who change it: bitmaps, indexes, maps, tables of clusters, metadata of groups. */
import { CorruptError } from '../../src/base/index.js';
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
  resizePhysicalVolume,
  type VolumeGroup,
} from '../../src/volume/lvm2/index.js';
import { rawLocn, rawLocnOffset } from '../../src/volume/lvm2/layout.js';
import { fixturesIn, readFixture } from '../../test/support/fixtures.js';
import { extFields, fatFields, lvmFields, partitionFields } from '../fields.js';
import { type FieldPlace, type Parts, part, readVolume, type Target } from '../target.js';
import { diskOf } from '../trace.js';
import { type Check, extCheck, fatCheck, groupsOf, written } from './untouched.js';

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
  const [first] = groupsOf(bytes);
  if (first === undefined) return [];
  return [...numbersFrom(first.blockBitmap, 4, 128), ...numbersFrom(first.inodeBitmap, 4, 16)];
}

/** What says where the contents of an inode of ext lie, and what of the first group is free. */
function extEntry(bytes: Uint8Array, inode: number): FieldPlace[] {
  const groups = groupsOf(bytes);
  const [first] = groups;
  if (first === undefined) return [];
  const perGroup = first.tableLength / first.inodeSize;
  const index = (inode - 1) % perGroup;
  const group = groups[(inode - 1 - index) / perGroup];
  const at = group === undefined ? [] : [group.inodeTable + index * group.inodeSize];
  // Blocks that are no file's.
  const telling = groups.flatMap(({ blockSize, blockBitmap, inodeTable }) =>
    [blockBitmap, inodeTable + 2 * blockSize, inodeTable + 3 * blockSize].map((place) => place / blockSize),
  );
  return [
    ...at.flatMap((base) => [
      { at: base + 4, length: 4, little: true },
      ...numbersFrom(base + 40, 4, 15).map((place) => ({ ...place, telling })),
    ]),
    ...numbersFrom(first.blockBitmap, 4, 8),
  ];
}

/** The first cluster and the size in an entry of FAT, whose place is its number; and the attributes. */
const fatEntry = (_bytes: Uint8Array, inode: number): FieldPlace[] => [
  { at: inode * 32 + 11, length: 1, little: true },
  ...[20, 26].map((at) => ({ at: inode * 32 + at, length: 2, little: true })),
  { at: inode * 32 + 28, length: 4, little: true },
];

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
      part(() => contents.write(new Uint8Array(5000).fill(written.grown), contents.size));
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
  ({ name }, fs, writer) => {
    const below = writer.create(fs.root, 'above', { type: 'directory', ...owner });
    writer.rename(fs.root, name, below, name);
  },
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
    // No name that anything has: that would be replaced.
    writer.rename(below, 'file', fs.root, 'a file from below');
    writer.rmdir(fs.root, 'directory');
  },
];

/** A file of this round; whether all that it took was accepted. */
function makeFile(fs: FileSystem, writer: FileSystemWriter): boolean {
  const made = part(() => {
    const contents = writer.contents(writer.create(fs.root, madeName, { type: 'file', ...owner }));
    try {
      contents.write(new Uint8Array(madeLength).fill(written.made), 0);
    } finally {
      contents.close();
    }
    return true;
  });
  return made === true && part(() => writer.sync() ?? true) === true;
}

/**
 * Changes a filesystem, and makes a file in it. Whatever was refused, what nothing was done with is as before. Where
 * nothing was, what is there then opens again: whoever believes what damage says of free places does not keep that.
 */
function changeAndReopen(
  driver: FileSystemDriver,
  bytes: Uint8Array,
  uses: readonly Use[],
  check: Check,
): void {
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
    const isClosed = part(() => fs.close() ?? true) === true;
    const problem = check(disk);
    if (problem !== undefined) throw new Error(problem);
    if (!isClosed || !isMade) return;
    try {
      open();
    } catch (cause) {
      throw new Error('what was written does not open again', { cause });
    }
  } finally {
    disk.close();
  }
}

/** A filesystem whose writer is tried. */
interface Written {
  readonly name: string;
  readonly fixtures: string[];
  fields(bytes: Uint8Array): FieldPlace[];
  /** Numbers that a change of one entry of the root trusts. */
  entryFields(bytes: Uint8Array, inode: number): FieldPlace[];
  /** What of an input is to stay though these entries of the root are changed. */
  check(bytes: Uint8Array, changed: ReadonlySet<string>): Check;
}

/** The first entries of the root. */
function rootEntries(driver: FileSystemDriver, bytes: Uint8Array): { name: string; inode: number }[] {
  const entries: { name: string; inode: number }[] = [];
  part(() => {
    const fs = driver.open?.(layerOf(bytes), { overlay: (base) => base, readonly: false });
    if (fs === undefined) return;
    for (const { name, inode } of fs.entries(fs.root))
      if (entries.length < mostEntries) entries.push({ name, inode });
  });
  return entries;
}

function writerParts(driver: FileSystemDriver, kind: Written, bytes: Uint8Array): Parts {
  const entries = rootEntries(driver, bytes);
  const uses: { use: Use; inode?: number }[] = [
    ...changesOfRoot.map((use) => ({ use })),
    ...entries.flatMap((entry) =>
      changesOfEntry.map((change) => ({
        inode: entry.inode,
        use: (fs: FileSystem, writer: FileSystemWriter): void => {
          // Some drivers number files as they meet them.
          const inode = fs.lookup(fs.root, entry.name);
          if (inode !== undefined) change({ name: entry.name, inode }, fs, writer);
        },
      })),
    ),
  ];
  return {
    count: uses.length,
    fields: (number) => {
      const inode = uses[number]?.inode;
      return inode === undefined ? [] : kind.entryFields(bytes, inode);
    },
    run: (input, numbers) => {
      const chosen = numbers.flatMap((number) => uses[number] ?? []);
      const changed = new Set(chosen.map(({ inode }) => String(inode)));
      changeAndReopen(
        driver,
        input,
        chosen.map(({ use }) => use),
        kind.check(input, changed),
      );
    },
  };
}

function writerTarget(kind: Written): Target {
  const { name, fixtures, fields } = kind;
  const driver = fileSystems.find((each) => each.name === name);
  if (driver === undefined) throw new Error(`there is no driver ${name}`);
  return {
    name: `write/${name}`,
    fixtures,
    load: readVolume,
    fields,
    parts: (bytes) => writerParts(driver, kind, bytes),
    run(bytes) {
      const { count, run } = writerParts(driver, kind, bytes);
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

/** Where the first metadata area is in all of the fixtures. */
const firstArea = 4096;

/** Where the text that the first area's header leads to says which extents there are, and which a segment has. */
function extentDigits(bytes: Uint8Array): number[] {
  const { offset, size } = rawLocn.decode(bytes, firstArea + rawLocnOffset);
  const from = firstArea + Number(offset);
  const text = Buffer.from(bytes.subarray(from, from + Number(size))).toString('latin1');
  return [...text.matchAll(/"pv[0-9]+", |(?:start_extent|extent_count|pe_count) = /g)].map(
    ({ index, 0: found }) => from + index + found.length,
  );
}

/** The other members of a group, undamaged, by what their names begin with. */
const members = fixturesIn('lvm', /-[abc]\.img\.gz$/);
const known = new Map<string, Uint8Array>();
function othersOf(fixture: string): Uint8Array[] {
  const [group] = fixture.split('-');
  return members
    .filter((name) => name !== fixture && name.startsWith(`${group}-`))
    .map((name) => {
      const bytes = known.get(name) ?? readFixture(name);
      known.set(name, bytes);
      return bytes;
    });
}

/** The smallest physical volume, in bytes. */
const leastVolume = 2 * 1024 * 1024;

/** The group as it is after a change. */
function checkGroup(groups: readonly VolumeGroup[], { uuid }: VolumeGroup): VolumeGroup {
  const found = groups.find((group) => group.uuid === uuid);
  if (found === undefined) throw new Error('the group that was changed is gone');
  return found;
}

/** Extents of physical volumes that a new volume shares with another, or that are not there. */
function checkExtents(group: VolumeGroup, made: string): void {
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
  for (const { name, to } of own)
    if (to > (group.text.members.get(name)?.extentCount ?? Number.POSITIVE_INFINITY))
      throw new Error('the volume that was made has extents that are not there');
}

/**
 * A change of a group that was read: it may be refused, but not since the text that would be written is no metadata
 * (`finishText` reads each once more).
 */
function changeOf<T>(work: () => T): T | undefined {
  return part(() => {
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof CorruptError && thrown.structure.startsWith('LVM metadata of '))
        throw new Error(`a change would have left no valid group: ${thrown.message}`);
      throw thrown;
    }
  });
}

const lvm: Target = {
  name: 'write/lvm2',
  fixtures: fixturesIn('lvm', /\.img\.gz$/),
  fields: lvmFields,
  hasText: true,
  digits: extentDigits,
  run(bytes, fixture) {
    const disks = [bytes, ...othersOf(fixture)].map(layerOf);
    try {
      const state = () => assemble(disks.map((disk, index) => ({ device: `/dev/sd${index}`, disk })));
      for (const group of state().volumeGroups) {
        const isMade = changeOf(() => {
          createLogicalVolume(group, 'round', { percentOfFree: 90 }, author)();
          return true;
        });
        if (isMade === true) checkExtents(checkGroup(state().volumeGroups, group), 'round');
      }
      for (const { group, volume } of state().physicalVolumes.map((each) => ({
        group: each.group,
        volume: each,
      }))) {
        const isCut = changeOf(() => {
          resizePhysicalVolume(volume, leastVolume, author)();
          return true;
        });
        if (isCut === true && group !== undefined) checkGroup(state().volumeGroups, group);
      }
      for (const volume of state().logicalVolumes.slice(0, 3))
        changeOf(() => renameLogicalVolume(volume, 'another', author)());
      for (const volume of state().physicalVolumes)
        changeOf(() => changePhysicalVolumeUuid(volume, author)());
    } finally {
      for (const disk of disks) disk.close();
    }
  },
};

export const writingTargets: readonly Target[] = [
  writerTarget({
    name: 'ext',
    fixtures: fixturesIn('ext', /\.img\.gz$/),
    fields: (bytes) => [...extFields(bytes), ...extBitmaps(bytes)],
    entryFields: extEntry,
    check: extCheck,
  }),
  writerTarget({
    name: 'fat',
    fixtures: fixturesIn('fat', /\.img\.gz$/),
    fields: (bytes) => [...fatFields(), ...fatPlaces(bytes)],
    entryFields: fatEntry,
    check: fatCheck,
  }),
  partitions,
  lvm,
];
