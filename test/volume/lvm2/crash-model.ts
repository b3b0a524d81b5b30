/** Changes of groups on physical volumes that lose power, and what may be there then: the old group or the new one. */
import assert from 'node:assert/strict';
import { type Disk, MemoryDisk, SliceDisk } from '../../../src/disk/index.js';
import {
  assemble,
  type Commit,
  changePhysicalVolumeUuid,
  changeVolumeGroupUuid,
  createLogicalVolume,
  createPhysicalVolume,
  createVolumeGroup,
  getVolumeGroup,
  type LvmState,
  removeLogicalVolumes,
  removePhysicalVolume,
  removeVolumeGroup,
  renameVolumeGroup,
  resizeLogicalVolume,
  resizePhysicalVolume,
  type VolumeGroup,
} from '../../../src/volume/lvm2/index.js';
import { type CrashCount, type CrashTestOptions, countCrashes } from '../../support/crashes.js';
import '../../support/platform.js';

export const MiB = 1024 * 1024;
export const author = { now: 1_600_000_000, command: 'a test' };

export interface Volume {
  readonly device: string;
  readonly disk: Disk;
}

/** Physical volumes, and a group `VG` of them. */
export function grouped(volumes: readonly Volume[]): readonly Volume[] {
  for (const { disk, device } of volumes) createPhysicalVolume(disk, device)();
  createVolumeGroup('VG', assemble(volumes).physicalVolumes, author)();
  return volumes;
}

export const groupOf = (volumes: readonly Volume[], name = 'VG'): VolumeGroup =>
  getVolumeGroup(assemble(volumes), name);

export function volumeOf(volumes: readonly Volume[], name: string) {
  const volume = groupOf(volumes).logicalVolumes.find((each) => each.name === name);
  assert.ok(volume);
  return volume;
}

/** The extents of each volume. */
export function extentsOf(group: VolumeGroup | undefined) {
  if (group === undefined) return null;
  return Object.fromEntries(
    [...group.text.volumes.values()].map(({ name, segments }) => [
      name,
      segments.flatMap(({ stripes, extentCount }) =>
        stripes.map(({ name: member, extent }) => [member, extent, extentCount]),
      ),
    ]),
  );
}

const size = 13 * MiB;
const parts = (disk: Disk, part = (start: number): Disk => new SliceDisk(disk, start, size)): Volume[] =>
  [0, size].map((start, index) => ({ device: `/dev/sd${'ab'[index]}`, disk: part(start) }));

/** All that is of meaning: groups with their members and volumes. */
const shapeOf = (state: LvmState): string =>
  JSON.stringify(
    state.volumeGroups.map((group) => [
      group.name,
      group.uuid,
      [...group.members].map(([name, member]) => [name, member?.label.uuid, member?.member?.extentCount]),
      extentsOf(group),
    ]),
  );

/** What the labels say: where the metadata is, and whether the volume belongs to a group. */
const labelsOf = (state: LvmState): string => JSON.stringify(state.physicalVolumes.map(({ label }) => label));

/** A disk with two physical volumes, a group of both, and two volumes that lie on both. */
function before(hasGroup: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * size);
  const volumes = parts(new MemoryDisk(bytes, { writable: true }));
  if (!hasGroup) for (const { disk, device } of volumes) createPhysicalVolume(disk, device)();
  else {
    grouped(volumes);
    createLogicalVolume(groupOf(volumes), 'one', { bytes: 16 * MiB }, author)();
    createLogicalVolume(groupOf(volumes), 'two', { bytes: 4 * MiB }, author)();
  }
  return bytes;
}

interface GroupChange {
  readonly hasGroup: boolean;
  /** The barriers of which a crash shows each that is left out, by their numbers. */
  readonly needed: readonly number[];
  change(volumes: readonly Volume[]): Commit;
}

/**
 * The barriers that are needed each by itself, by their numbers. Of the others, either the same disk has one soon
 * after, with nothing to order in between, or one of two copies is enough.
 */
export const groupChanges: Readonly<Record<string, GroupChange>> = {
  'the making of a group': {
    hasGroup: false,
    needed: [0, 1, 4, 5],
    change: (v) => createVolumeGroup('VG', assemble(v).physicalVolumes, author),
  },
  'the removal of a group': {
    hasGroup: true,
    needed: [2, 3],
    change: (v) => removeVolumeGroup(groupOf(v)),
  },
  'the renaming of a group': {
    hasGroup: true,
    needed: [0, 1],
    change: (v) => renameVolumeGroup(groupOf(v), 'other', author),
  },
  'a new UUID of a group': {
    hasGroup: true,
    needed: [0, 2, 3],
    change: (v) => changeVolumeGroupUuid(groupOf(v), author),
  },
  'a new volume': {
    hasGroup: true,
    needed: [0, 1],
    change: (v) => createLogicalVolume(groupOf(v), 'three', { percentOfFree: 100 }, author),
  },
  'a longer volume': {
    hasGroup: true,
    needed: [0, 1],
    change: (v) => resizeLogicalVolume(volumeOf(v, 'one'), { bytes: 20 * MiB }, author) as Commit,
  },
  'the removal of a volume': {
    hasGroup: true,
    needed: [0, 1],
    change: (v) => removeLogicalVolumes(groupOf(v), [volumeOf(v, 'one')], author),
  },
  'a new UUID of a physical volume': {
    hasGroup: true,
    needed: [0, 1, 2, 3, 4],
    change: (v) => changePhysicalVolumeUuid(assemble(v).physicalVolumes[0] as never, author),
  },
  'a smaller physical volume': {
    hasGroup: true,
    needed: [0],
    change: (v) => resizePhysicalVolume(assemble(v).physicalVolumes[1] as never, 10 * MiB, author),
  },
};

/** `isComplete`: whether there were crashes that left the old group, and others that left the new one. */
export function crashGroup(
  name: string,
  options: CrashTestOptions,
): CrashCount & { readonly isComplete: boolean } {
  const { hasGroup, change } = groupChanges[name] ?? assert.fail(name);
  const image = before(hasGroup);
  const old = shapeOf(assemble(parts(new MemoryDisk(image))));
  let next = '';
  let labels = '';
  const shapes: string[] = [];
  const count = countCrashes(
    image,
    (disk) => {
      const volumes = parts(disk, (start) => disk.part(start, size));
      disk.mark('begun', true);
      change(volumes)();
      disk.mark('done', true);
      const state = assemble(volumes);
      next = shapeOf(state);
      labels = labelsOf(state);
    },
    ({ image: left, allowed }) => {
      const state = assemble(parts(left));
      const shape = shapeOf(state);
      shapes.push(shape);
      assert.ok(shape === next || (shape === old && allowed.includes('begun')), shape);
      // Between the one and the other a label may say what is done soon.
      if (!allowed.includes('begun')) assert.equal(labelsOf(state), labels);
      assert.deepEqual(
        state.problems.filter(({ kind }) => kind !== 'stale-metadata'),
        [],
      );
    },
    options,
  );
  return { ...count, isComplete: shapes.includes(old) && shapes.includes(next) };
}

const labelled = (disk: Disk): LvmState => assemble([{ device: '/dev/sda', disk }]);
const alone = (disk: Disk) => labelled(disk).physicalVolumes[0] ?? assert.fail();

/** Changes of a physical volume of no group; the first makes it, on what held something else. */
export const labelChanges: Readonly<Record<string, (disk: Disk) => void>> = {
  'the making of a physical volume': (disk) => createPhysicalVolume(disk, '/dev/sda')(),
  'a new UUID of one that is alone': (disk) => changePhysicalVolumeUuid(alone(disk), author)(),
  'another size of one that is alone': (disk) => resizePhysicalVolume(alone(disk), 3 * MiB, author)(),
  'the removal of a physical volume': removePhysicalVolume,
};

/** The old label, or the new one. */
export function crashLabel(name: string, options: CrashTestOptions): CrashCount {
  const change = labelChanges[name] ?? assert.fail(name);
  const before = new Uint8Array(4 * MiB).fill(0x55);
  const memory = new MemoryDisk(before, { writable: true });
  if (change !== Object.values(labelChanges)[0]) createPhysicalVolume(memory, '/dev/sda')();
  const old = labelsOf(labelled(memory));
  let next = '';
  return countCrashes(
    before,
    (disk) => {
      disk.mark('begun', true);
      change(disk);
      disk.mark('done', true);
      next = labelsOf(labelled(disk));
    },
    ({ image, allowed }) => {
      const state = labelled(image);
      assert.deepEqual(state.problems, []);
      const found = labelsOf(state);
      assert.ok(found === next || (found === old && allowed.includes('begun')), found);
    },
    options,
  );
}
