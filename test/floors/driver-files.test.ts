/** Files of drivers: the numbers of a format are named in its layout.ts, and few files write to a disk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, sameAsListed } from './baseline.js';
import type { Token } from './lexer.js';
import { roomOf, type Source, sources } from './sources.js';

const driverRooms = new Set(['image', 'partition', 'volume', 'fs']);
/** Rooms whose code gets hold of disks, above the layers of disks. */
const diskUsers = new Set([...driverRooms, 'vfs', 'inspect', 'engine']);

const codeOf = ({ tokens }: Source): readonly Token[] => tokens.filter(({ kind }) => kind !== 'comment');

/** Drivers of one file, which only look for signatures: a line for each thing that they look for. */
const signatures = /^src\/fs\/signatures\//;
/** How many masks and offsets are still written out. */
const bareNumbersListed = {
  'src/fs/ext/directory/deleted.ts': 1,
  'src/fs/ext/directory/directory.ts': 1,
  'src/fs/ext/directory/htree.ts': 1,
  'src/fs/ext/inode.ts': 2,
  'src/fs/ext/journal/checksum.ts': 1,
  'src/fs/ext/report/usage.ts': 2,
  'src/fs/ext/symlink.ts': 1,
  'src/fs/fat/probe.ts': 2,
  'src/fs/dos-times.ts': 4,
  'src/fs/iso9660/labels.ts': 4,
  'src/fs/iso9660/names.ts': 2,
  'src/fs/iso9660/rock-ridge.ts': 1,
  'src/fs/iso9660/zisofs.ts': 1,
  'src/image/qcow2/probe.ts': 2,
  'src/partition/gpt.ts': 1,
  'src/partition/mbr.ts': 1,
  'src/partition/named.ts': 1,
};
/** Who writes to a disk, above the layers of disk/, and in how many calls. */
const writersListed = {
  // Contents of files, which the writer of a tree hands out and whose changes it tells.
  'src/vfs/told-contents.ts': 1,
  // What another session has written to a drive, brought back onto the layer that a drive has for such writes.
  'src/engine/session/restored-layer.ts': 1,
  // Bytes of devices, changed as such: what a caller gives, zeroes and random bytes, a swap header.
  'src/engine/actions/writing/devices.ts': 1,
  'src/engine/actions/writing/scrub.ts': 2,
  'src/engine/actions/writing/signatures.ts': 1,
  'src/engine/actions/writing/swap.ts': 2,
  'src/fs/swap/format.ts': 1,
  // The file of a registry hive, written whole.
  'src/engine/actions/opened/registry-changes.ts': 1,
  // A new image: the tables of a qcow2 file, and the contents of the files in a new filesystem.
  'src/engine/host/new-image.ts': 1,
  'src/engine/host/contents/plan.ts': 1,
  // What is copied to a device or a file.
  'src/engine/host/disk-sink.ts': 2,
  // The replay of a journal, and the mark that it is done.
  'src/fs/ext/journal/replay.ts': 1,
  'src/fs/ext/journal/recover.ts': 2,
  // The log's own superblock, and the commit block of a transaction.
  'src/fs/ext/journal/superblock.ts': 1,
  'src/fs/ext/journal/transaction.ts': 1,
  // The contents of files, which never enter the cache of metadata.
  'src/fs/ext/write/contents.ts': 5,
  'src/fs/ext/write/files.ts': 1,
  // A new volume.
  'src/fs/fat/format.ts': 6,
  // The contents of files; one that is read while it is written is told so by the disk below.
  'src/fs/fat/write/contents.ts': 2,
  'src/fs/fat/write/followed.ts': 1,
  // Partition tables: whole sectors, a barrier behind each step.
  'src/partition/editing/sectors.ts': 1,
  // The file of a qcow2 image, through which data and tables go.
  'src/image/qcow2/write/image-file.ts': 1,
  // Making a filesystem: descriptors, superblocks, and a disk that is nothing but a journal.
  'src/fs/ext/format/format.ts': 4,
  'src/fs/ext/format/journal-device.ts': 1,
  // Growing one: the mark that it is not complete.
  'src/fs/ext/format/grow.ts': 1,
  // Labels of physical volumes, and the text of groups in the ring of each metadata area.
  'src/volume/lvm2/write/areas.ts': 5,
  'src/volume/lvm2/write/label.ts': 5,
  // The superblock and its copies, of a filesystem that is not mounted.
  'src/fs/ext/format/tune.ts': 2,
  // A check of one in order: what a mount that was none has left in the superblock, and when all of it was looked at.
  'src/fs/ext/check/clean.ts': 2,
  // The replay of XFS's log, on a layer of the caller.
  'src/fs/xfs/log/replay.ts': 1,
};

/** Masks of the width of a number are no part of a format. */
const widths = /^0x(?:ff)+n?$/i;

/** Hexadecimal masks that are not named, and reads or writes at offsets that are not named. */
function bareNumbers(source: Source): number {
  const code = codeOf(source);
  const text = (i: number): string => code[i]?.text ?? '';
  const isMasking = (i: number): boolean =>
    /^[&|^]$/.test(text(i)) && text(i - 1) !== text(i) && text(i + 1) !== text(i);
  return code.filter(({ kind, text: word }, i) => {
    if (kind === 'number') {
      return /^0x/i.test(word) && !widths.test(word) && (isMasking(i - 1) || isMasking(i + 1));
    }
    return (
      /^[gs]et(?:Big)?(?:Ui|I)nt\d+$/.test(word) && text(i + 1) === '(' && code[i + 2]?.kind === 'number'
    );
  }).length;
}

/**
 * Whether the call whose parenthesis is at `at` has two arguments, as those of a disk have and those of a stream have
 * not.
 */
function hasTwoArguments(code: readonly Token[], at: number): boolean {
  const depth = code[at]?.depth ?? 0;
  let commas = 0;
  for (let i = at + 1; code[i] !== undefined && code[i]?.depth !== depth; i++) {
    if (code[i]?.text === ',' && code[i]?.depth === depth + 1 && code[i + 1]?.text !== ')') commas++;
  }
  return commas === 1;
}

test('masks and offsets of a format are named in layout.ts', () => {
  const found = sources
    .filter(
      ({ path }) => driverRooms.has(roomOf(path)) && !path.endsWith('/layout.ts') && !signatures.test(path),
    )
    .map((source) => [source.path, bareNumbers(source)] as const)
    .filter(([, count]) => count > 0);
  sameAsListed('bare masks and offsets', found, bareNumbersListed);
});

test('a disk is written by the layers, the journal replay and nobody else', () => {
  const places = sources
    .filter(({ path }) => diskUsers.has(roomOf(path)))
    .flatMap((source) => {
      const code = codeOf(source);
      const writes = code.filter(
        ({ text }, i) =>
          text === 'write' &&
          /^\??\.$/.test(code[i - 1]?.text ?? '') &&
          code[i + 1]?.text === '(' &&
          hasTwoArguments(code, i + 1),
      );
      return writes.map(() => source.path);
    });
  sameAsListed('calls of write on a disk', counted(places), writersListed);
});

/** Above the drivers, who gets hold of a filesystem's writer: what it must be asked first is known in one place. */
const writersDoors = [
  // Fills a filesystem that was just made and that nobody has mounted.
  'src/vfs/fill.ts',
  // Makes durable what was done, and changes nothing.
  'src/vfs/mount-table.ts',
  'src/vfs/tree-writer.ts',
];
const aboveDrivers = new Set(['vfs', 'inspect', 'engine']);

test("a filesystem's writer is reached through the tree's writer and nowhere else", () => {
  const users = sources
    .filter(({ path }) => aboveDrivers.has(roomOf(path)))
    .filter((source) => {
      const code = codeOf(source);
      return code.some(
        ({ text }, i) =>
          text === 'FileSystemWriter' ||
          text === 'whyReadOnly' ||
          (text === 'writer' && /^\??\.$/.test(code[i - 1]?.text ?? '')),
      );
    })
    .map(({ path }) => path);
  assert.deepEqual(users.sort(), writersDoors);
});
