/** What is read only by those who change it: bitmaps, indexes, maps, tables of clusters, metadata of groups. */
import { OverlayDisk, SliceDisk } from '../../src/disk/index.js';
import { type FileSystem, type FileSystemWriter, fileSystems } from '../../src/fs/index.js';
import { editPartitionTable, readPartitionTable } from '../../src/partition/index.js';
import {
  assemble,
  changePhysicalVolumeUuid,
  createLogicalVolume,
  renameLogicalVolume,
} from '../../src/volume/lvm2/index.js';
import { fixturesIn } from '../../test/support/fixtures.js';
import { extFields, fatFields, lvmFields, partitionFields } from '../fields.js';
import { type FieldPlace, part, type Target } from '../target.js';
import { diskOf } from '../trace.js';

const memoryBudget = 32 * 1024 * 1024;
const author = { now: 1_600_000_000, command: 'a round' };

/** A layer over the input, which stays as it is. */
function layerOf(bytes: Uint8Array): OverlayDisk {
  const disk = diskOf(bytes);
  return new OverlayDisk(new SliceDisk(disk, 0, disk.size), { memoryBudget });
}

/** Changes a little of everything that is there. */
function change(fs: FileSystem, writer: FileSystemWriter): void {
  const owner = { permissions: 0o644, uid: 1, gid: 2 } as const;
  const entries = part(() => [...fs.entries(fs.root)].slice(0, 12)) ?? [];
  for (const { name, inode } of entries) {
    part(() => writer.setXattr(inode, 'user.round', new Uint8Array(300)));
    part(() => {
      const contents = writer.contents(inode);
      try {
        part(() => contents.write(new Uint8Array(5000).fill(1), contents.size));
        part(() => contents.zero(100, 9000, { discard: true }));
        part(() => contents.resize(50));
      } finally {
        contents.close();
      }
    });
    part(() => writer.create(inode, 'below', { type: 'file', ...owner }));
    part(() => writer.rename(fs.root, name, fs.root, `${name}.2`));
    part(() => writer.unlink(fs.root, `${name}.2`));
    part(() => writer.rmdir(fs.root, `${name}.2`));
  }
  for (let number = 0; number < 40; number++)
    part(() => writer.create(fs.root, `a new name ${number}`, { type: 'file', ...owner }));
  part(() => writer.create(fs.root, 'directory', { type: 'directory', ...owner }));
  part(() => writer.sync());
}

function writerTarget(name: string, fixtures: string[], fields: (bytes: Uint8Array) => FieldPlace[]): Target {
  const driver = fileSystems.find((each) => each.name === name);
  return {
    name: `write/${name}`,
    fixtures,
    fields,
    run(bytes) {
      const disk = layerOf(bytes);
      try {
        const fs = driver?.open?.(disk, { overlay: (base) => base, readonly: false });
        if (fs?.writer !== undefined) change(fs, fs.writer);
        if (fs !== undefined) part(() => fs.close());
      } finally {
        disk.close();
      }
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

const lvm: Target = {
  name: 'write/lvm2',
  fixtures: fixturesIn('lvm', /\.img\.gz$/),
  fields: lvmFields,
  run(bytes) {
    const disk = layerOf(bytes);
    try {
      const state = () => assemble([{ device: '/dev/sda', disk }]);
      for (const group of state().volumeGroups)
        part(() => createLogicalVolume(group, 'round', { percentOfFree: 50 }, author)());
      for (const volume of state().logicalVolumes.slice(0, 3))
        part(() => renameLogicalVolume(volume, 'another', author)());
      for (const volume of state().physicalVolumes) part(() => changePhysicalVolumeUuid(volume, author)());
    } finally {
      disk.close();
    }
  },
};

export const writingTargets: readonly Target[] = [
  writerTarget('ext', fixturesIn('ext', /\.img\.gz$/), extFields),
  writerTarget('fat', fixturesIn('fat', /\.img\.gz$/), fatFields),
  partitions,
  lvm,
];
