/**
 * Groups that are made and changed: what lvm2's own checker says of them, which extents volumes get, what a crash leaves,
 * and what of other people's metadata stays.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { GuestfsError, UnsupportedError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk, SliceDisk } from '../../../src/disk/index.js';
import { parseConfig } from '../../../src/volume/lvm2/config.js';
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
  renameLogicalVolume,
  renameVolumeGroup,
  resizeLogicalVolume,
  resizePhysicalVolume,
  spaceForVolume,
  type VolumeGroup,
} from '../../../src/volume/lvm2/index.js';
import { countCrashes, surviveCrashes } from '../../support/crashes.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { membersOf } from './fixtures.js';

const MiB = 1024 * 1024;
const author = { now: 1_600_000_000, command: 'a test' };
const directory = mkdtempSync(join(tmpdir(), 'guestfs-lvm-'));
after(() => rmSync(directory, { recursive: true }));

interface Volume {
  readonly device: string;
  readonly disk: Disk;
}

const blank = (...mebibytes: readonly number[]): Volume[] =>
  mebibytes.map((size, index) => ({
    device: `/dev/sd${String.fromCharCode(97 + index)}`,
    disk: new MemoryDisk(new Uint8Array(size * MiB), { writable: true }),
  }));

/** Physical volumes, and a group `VG` of them. */
function grouped(volumes: readonly Volume[]): readonly Volume[] {
  for (const { disk, device } of volumes) createPhysicalVolume(disk, device)();
  createVolumeGroup('VG', assemble(volumes).physicalVolumes, author)();
  return volumes;
}

const groupOf = (volumes: readonly Volume[], name = 'VG'): VolumeGroup =>
  getVolumeGroup(assemble(volumes), name);

function volumeOf(volumes: readonly Volume[], name: string) {
  const volume = groupOf(volumes).logicalVolumes.find((each) => each.name === name);
  assert.ok(volume);
  return volume;
}

/** A group whose text has a field more, of so many bytes. */
function withNote(group: VolumeGroup, length: number): VolumeGroup {
  const text = Buffer.from(group.rawText).toString('latin1');
  const longer = text.replace('flags = []', `flags = []\nnote = "${'x'.repeat(length)}"`);
  return Object.assign(Object.create(group), { rawText: Buffer.from(longer, 'latin1') });
}

/** The extents of each volume. */
function extentsOf(group: VolumeGroup | undefined) {
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

/** lvm2's own checker finds nothing wrong, and reads the same text. */
function checkByPvck({ disk }: Volume, seqno: number | undefined): void {
  const path = join(directory, 'pv.img');
  // Labels and metadata areas are before the data.
  const bytes = new Uint8Array(Math.min(disk.size, 2 * MiB));
  disk.read(bytes, 0);
  writeFileSync(path, bytes);
  truncateSync(path, disk.size);
  const { status, stdout } = spawnSync('pvck', ['--dump', 'headers', path], {
    env: { ...toolEnvironment, LVM_SUPPRESS_FD_WARNINGS: '1' },
    encoding: 'latin1',
  });
  assert.equal(status, 0);
  assert.deepEqual(stdout.match(/^.*CHECK.*$/gm), null);
  assert.equal(/# vgname \S+ seqno (\d+)/.exec(stdout)?.[1], seqno === undefined ? undefined : String(seqno));
}

describe('what is written is what lvm2 writes', () => {
  test('pvck finds nothing wrong, through every kind of change', needs('pvck'), () => {
    const volumes = blank(20, 16);
    const check = (): void => {
      const state = assemble(volumes);
      assert.deepEqual(state.problems, []);
      for (const volume of volumes) checkByPvck(volume, state.volumeGroups[0]?.text.seqno);
    };
    const steps: (() => Commit)[] = [
      () => createLogicalVolume(groupOf(volumes), 'one', { bytes: 7 * MiB }, author),
      () => createLogicalVolume(groupOf(volumes), 'two', { percentOfFree: 100 }, author),
      () => resizeLogicalVolume(volumeOf(volumes, 'two'), { bytes: 4 * MiB }, author) as Commit,
      () => renameLogicalVolume(volumeOf(volumes, 'one'), 'first', author),
      () => changeVolumeGroupUuid(groupOf(volumes), author),
      () => changePhysicalVolumeUuid(assemble(volumes).physicalVolumes[1] as never, author),
      () => resizePhysicalVolume(assemble(volumes).physicalVolumes[0] as never, 19 * MiB, author),
      () => removeLogicalVolumes(groupOf(volumes), [volumeOf(volumes, 'first')], author),
      () => renameVolumeGroup(groupOf(volumes), 'VG', author),
      () => removeVolumeGroup(groupOf(volumes)),
    ];
    for (const { disk, device } of volumes) createPhysicalVolume(disk, device)();
    check();
    createVolumeGroup('VG', assemble(volumes).physicalVolumes, author)();
    check();
    for (const step of steps) {
      step()();
      check();
    }
    for (const { disk } of volumes) removePhysicalVolume(disk);
    assert.deepEqual(assemble(volumes).physicalVolumes, []);
  });

  test('what will be in a volume can be seen before it is made', () => {
    const volumes = grouped(blank(12, 16));
    for (const { disk } of volumes) {
      const bytes = new Uint8Array(disk.size - 2 * MiB);
      for (let at = 0; at < bytes.length; at += 4096) bytes[at] = at / 4096;
      disk.write(bytes, 2 * MiB);
    }
    const size = { percentOfFree: 100 };
    const [before, after] = [spaceForVolume(groupOf(volumes), size), () => volumeOf(volumes, 'all').open()];
    createLogicalVolume(groupOf(volumes), 'all', size, author)();
    const [ours, theirs] = [before, after()].map((disk) => {
      const bytes = new Uint8Array(disk.size);
      disk.read(bytes, 0);
      return Buffer.from(bytes);
    });
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.ok(ours.some((byte) => byte !== 0));
    assert.ok(ours.equals(theirs));
  });

  test('the ring of the metadata area goes round, and each version can be read', needs('pvck'), () => {
    const [volume] = grouped(blank(20));
    assert.ok(volume);
    createLogicalVolume(groupOf([volume]), 'one', { bytes: MiB }, author)();
    createLogicalVolume(withNote(groupOf([volume]), 100_000), 'two', { bytes: MiB }, author)();
    let wrapped = 0;
    let last = 0;
    for (let number = 0; number < 30; number++) {
      const [from, to] = number % 2 === 0 ? ['one', 'x'] : ['x', 'one'];
      renameLogicalVolume(volumeOf([volume], from), to, author)();
      const header = new Uint8Array(48);
      volume.disk.read(header, 4096);
      const offset = Number(new DataView(header.buffer).getBigUint64(40, true));
      if (offset < last) wrapped++;
      last = offset;
    }
    assert.ok(wrapped > 1);
    assert.deepEqual(assemble([volume]).problems, []);
    checkByPvck(volume, groupOf([volume]).text.seqno);
  });

  test('a text that would not fit beside the old one is refused, and nothing is changed', () => {
    const volumes = grouped(blank(20));
    const group = groupOf(volumes);
    const vast = withNote(group, 600_000);
    assert.throws(() => createLogicalVolume(vast, 'one', { bytes: MiB }, author), { code: 'ENOSPC' });
    assert.equal(groupOf(volumes).text.seqno, group.text.seqno);
  });

  test('a text that would come round to the old one, as it begins with a sector, is refused', () => {
    const half = (MiB - 4096 - 512) / 2;
    const lengthWith = (volumes: readonly Volume[], note: number): number => {
      createLogicalVolume(withNote(groupOf(volumes), note), 'one', { bytes: MiB }, author)();
      return groupOf(volumes).rawText.length;
    };
    const rest = lengthWith(grouped(blank(20)), 500_000) - 500_000;
    const volumes = grouped(blank(20));
    assert.equal(lengthWith(volumes, half - rest - 10), half - 10);
    assert.throws(() => renameLogicalVolume(volumeOf(volumes, 'one'), 'two', author), { code: 'ENOSPC' });
    assert.deepEqual(assemble(volumes).problems, []);
  });

  test('a number that was not read exactly is refused', () => {
    const volumes = grouped(blank(20));
    const group = withNote(groupOf(volumes), 1);
    const text = Buffer.from(group.rawText).toString('latin1').replace('"x"', '9007199254740993');
    Object.assign(group, { rawText: Buffer.from(text, 'latin1') });
    assert.throws(() => createLogicalVolume(group, 'one', { bytes: MiB }, author), UnsupportedError);
  });

  test('the UUID of a physical volume changes wherever the old text lies in the ring', needs('pvck'), () => {
    const [volume] = grouped(blank(20));
    assert.ok(volume);
    createLogicalVolume(groupOf([volume]), 'one', { bytes: MiB }, author)();
    createLogicalVolume(withNote(groupOf([volume]), 90_000), 'two', { bytes: MiB }, author)();
    const uuids = new Set<string>();
    let name = 'one';
    for (let number = 0; number < 40; number++) {
      // Several versions in a row, so that the old text is at many places, and once around the end of the ring.
      for (let version = 0; version < number % 12; version++) {
        const next = `x${number}-${version}`;
        renameLogicalVolume(volumeOf([volume], name), next, author)();
        name = next;
      }
      const [member] = assemble([volume]).physicalVolumes;
      assert.ok(member);
      changePhysicalVolumeUuid(member, author)();
      const state = assemble([volume]);
      assert.deepEqual(state.problems, []);
      uuids.add(state.physicalVolumes[0]?.label.uuid ?? '');
    }
    assert.equal(uuids.size, 40);
    checkByPvck(volume, groupOf([volume]).text.seqno);
  });

  test('lvm2 reads what a change of the UUID leaves when it ends early', needs('pvck'), () => {
    const bytes = new Uint8Array(20 * MiB);
    class Stopping extends MemoryDisk {
      left = 2;
      override flush(): void {
        if (this.left-- === 0) throw new GuestfsError('EIO', 'the host');
      }
    }
    const plain = { device: '/dev/sda', disk: new MemoryDisk(bytes, { writable: true }) };
    const { uuid, text } = groupOf(grouped([plain]));
    const [member] = assemble([{ ...plain, disk: new Stopping(bytes, { writable: true }) }]).physicalVolumes;
    assert.ok(member);
    assert.throws(changePhysicalVolumeUuid(member, author), { code: 'EIO' });
    checkByPvck(plain, text.seqno + 1);
    const state = assemble([plain]);
    assert.deepEqual(state.problems, []);
    assert.deepEqual(
      [state.volumeGroups[0]?.uuid, state.volumeGroups[0]?.text.seqno],
      [uuid, text.seqno + 1],
    );
    assert.notEqual(state.physicalVolumes[0]?.label.metadataAreas[0]?.offset, 4096);
    // Whoever finds it goes on with it.
    createLogicalVolume(groupOf([plain]), 'one', { bytes: MiB }, author)();
    checkByPvck(plain, text.seqno + 2);
  });

  test('the UUID of a member without metadata of its own is left to others', () => {
    const volumes = grouped(blank(20, 16));
    const [, second] = assemble(volumes).physicalVolumes;
    assert.ok(second);
    const bare = { ...second.label, metadataAreas: [] };
    const group = {
      ...second.group,
      members: new Map([
        ['pv0', assemble(volumes).physicalVolumes[0]],
        ['pv1', { ...second, label: bare }],
      ]),
    };
    assert.throws(() => changePhysicalVolumeUuid({ ...second, group } as never, author), UnsupportedError);
  });
});

interface Allocations {
  /** Of the disks, in MiB. */
  readonly sizes: readonly number[];
  readonly steps: readonly {
    readonly op: readonly string[];
    readonly ok: boolean;
    readonly volumes: unknown;
  }[];
}

test('volumes get the extents that lvm2 gives them, in random orders of making, growing, cutting and removing', () => {
  const { sizes, steps } = readFixtureJson<Allocations>('lvm/allocations.json.gz');
  const volumes = blank(...sizes);
  const find = (path: string) => {
    const name = path.replace('VG/', '');
    const volume = groupOf(volumes).logicalVolumes.find((each) => each.name === name);
    if (volume === undefined) throw new GuestfsError('ENOENT', name);
    return volume;
  };
  const done = ([what, name = '', count = '']: readonly string[]): Commit | undefined => {
    const extent = 4 * MiB;
    switch (what) {
      case 'create':
        return createLogicalVolume(groupOf(volumes), name, { bytes: Number(count) * extent }, author);
      case 'remove':
        return removeLogicalVolumes(groupOf(volumes), [find(name)], author);
      case 'resize': {
        const before = count.startsWith('+') ? find(name).text.extentCount : 0;
        return resizeLogicalVolume(find(name), { bytes: (before + Number(count)) * extent }, author);
      }
      case 'clear':
        return removeVolumeGroup(groupOf(volumes));
      default:
        return () => grouped(volumes);
    }
  };
  for (const [number, { op, ok, volumes: theirs }] of steps.entries()) {
    let worked = true;
    try {
      const commit = done(op);
      // lvm2 fails where there is nothing to do.
      worked = commit !== undefined;
      commit?.();
    } catch (thrown) {
      assert.ok(thrown instanceof GuestfsError, String(thrown));
      worked = false;
    }
    assert.equal(worked, ok, `${number}: ${op.join(' ')}`);
    assert.deepEqual(extentsOf(assemble(volumes).volumeGroups[0]), theirs, `${number}: ${op.join(' ')}`);
  }
});

describe('a crash', () => {
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

  /**
   * The barriers that are needed each by itself, by their numbers. Of the others, either the same disk has one soon
   * after, with nothing to order in between, or one of two copies is enough.
   */
  const changes: readonly [string, boolean, readonly number[], (volumes: readonly Volume[]) => Commit][] = [
    [
      'the making of a group',
      false,
      [0, 1],
      (v) => createVolumeGroup('VG', assemble(v).physicalVolumes, author),
    ],
    ['the removal of a group', true, [], (v) => removeVolumeGroup(groupOf(v))],
    ['the renaming of a group', true, [0, 1], (v) => renameVolumeGroup(groupOf(v), 'other', author)],
    ['a new UUID of a group', true, [0, 2, 3], (v) => changeVolumeGroupUuid(groupOf(v), author)],
    [
      'a new volume',
      true,
      [0, 1],
      (v) => createLogicalVolume(groupOf(v), 'three', { percentOfFree: 100 }, author),
    ],
    [
      'a longer volume',
      true,
      [0, 1],
      (v) => resizeLogicalVolume(volumeOf(v, 'one'), { bytes: 20 * MiB }, author) as Commit,
    ],
    [
      'the removal of a volume',
      true,
      [0, 1],
      (v) => removeLogicalVolumes(groupOf(v), [volumeOf(v, 'one')], author),
    ],
    [
      'a new UUID of a physical volume',
      true,
      [0, 1, 2, 4],
      (v) => changePhysicalVolumeUuid(assemble(v).physicalVolumes[0] as never, author),
    ],
    [
      'a smaller physical volume',
      true,
      [0],
      (v) => resizePhysicalVolume(assemble(v).physicalVolumes[1] as never, 10 * MiB, author),
    ],
  ];
  for (const [name, hasGroup, needed, change] of changes) {
    const image = before(hasGroup);
    const old = shapeOf(assemble(parts(new MemoryDisk(image))));
    const run = (withoutBarriers: readonly number[] = []) => {
      let next = '';
      const shapes: string[] = [];
      const isWhole = withoutBarriers.length === 0;
      const options = { most: isWhole ? 150 : 60, untilWrong: !isWhole, withoutBarriers };
      const count = countCrashes(
        image,
        (disk) => {
          const volumes = parts(disk, (start) => disk.part(start, size));
          disk.mark('begun', true);
          change(volumes)();
          disk.mark('done', true);
          next = shapeOf(assemble(volumes));
        },
        ({ image: left, allowed }) => {
          const state = assemble(parts(left));
          const shape = shapeOf(state);
          shapes.push(shape);
          assert.ok(shape === next || (shape === old && allowed.includes('begun')), shape);
          assert.deepEqual(
            state.problems.filter(({ kind }) => kind !== 'stale-metadata'),
            [],
          );
        },
        options,
      );
      return { ...count, isComplete: shapes.includes(old) && shapes.includes(next) };
    };
    test(`in ${name} leaves the old group or the new one, and a barrier that is left out is found`, () => {
      const { wrong, cuts, isComplete, recording } = run();
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
      assert.ok(cuts > 10 && isComplete);
      const barriers = Array.from({ length: recording.barriers }, (_, barrier) => barrier);
      assert.deepEqual(
        barriers.filter((barrier) => run([barrier]).wrong.length > 0),
        needed,
      );
    });
  }

  test('in the making of a physical volume leaves one or none', () => {
    surviveCrashes(
      new Uint8Array(4 * MiB).fill(0x55),
      (disk) => createPhysicalVolume(disk, '/dev/sda')(),
      (crash) => assert.deepEqual(assemble([{ device: '/dev/sda', disk: crash.image }]).problems, []),
      { most: 60 },
    );
  });
});

describe('the metadata of others', () => {
  const drives = ['one-a', 'one-b', 'one-c'];

  test('stays as it was, but for what is changed', () => {
    const volumes = membersOf(drives, { writable: true });
    const [group] = assemble(volumes).volumeGroups;
    assert.ok(group);
    renameVolumeGroup(group, 'renamed', author)();
    const [renamed] = assemble(volumes).volumeGroups;
    assert.ok(renamed);
    const [old, next] = [group, renamed].map(
      ({ rawText, name }) => new Map(parseConfig(rawText).get(name) as never),
    );
    assert.equal(next?.get('seqno'), Number(old?.get('seqno')) + 1);
    for (const text of [old, next]) text?.delete('seqno');
    assert.deepEqual(next, old);
    for (const member of renamed.members.values())
      for (const { text, ignored } of member?.metadataAreas ?? [])
        if (!ignored) assert.deepEqual(text, renamed.rawText);
  });

  test('of types that are not linear is refused by name, and stays where others change', () => {
    const volumes = membersOf(['kinds-a', 'kinds-b'], { writable: true });
    const [group] = assemble(volumes).volumeGroups;
    assert.ok(group);
    const linear = new Set(['striped', 'linear']);
    const kinds = group.logicalVolumes.filter(({ text }) =>
      text.segments.some(({ type }) => !linear.has(type)),
    );
    assert.ok(kinds.length > 3);
    for (const volume of kinds) {
      assert.throws(() => removeLogicalVolumes(group, [volume], author), UnsupportedError, volume.name);
      assert.throws(() => renameLogicalVolume(volume, 'renamed', author), UnsupportedError, volume.name);
    }
    for (const { name } of group.logicalVolumes.filter(({ hidden }) => hidden)) {
      const hidden = group.logicalVolumes.find((each) => each.name === name);
      assert.throws(
        () => resizeLogicalVolume(hidden as never, { bytes: 64 * MiB }, author),
        UnsupportedError,
        name,
      );
    }
    assert.throws(() => removeVolumeGroup(group), UnsupportedError);
    createLogicalVolume(group, 'new', { bytes: 1 }, author)();
    const [next] = assemble(volumes).volumeGroups;
    assert.ok(next);
    const volumesIn = (each: VolumeGroup) =>
      new Map(
        (parseConfig(each.rawText).get(each.name) as ReadonlyMap<string, unknown>).get(
          'logical_volumes',
        ) as never,
      );
    const rest = volumesIn(next);
    assert.ok(rest.delete('new'));
    assert.deepEqual(rest, volumesIn(group));
  });

  test('is left alone where a member is missing, or the group is exported', () => {
    const [missing] = assemble(membersOf(['one-a'], { writable: true })).volumeGroups;
    const [exported] = assemble(membersOf(['export'], { writable: true })).volumeGroups;
    assert.ok(missing && exported);
    assert.throws(() => renameVolumeGroup(missing, 'x', author), { code: 'ENODEV' });
    assert.throws(() => removeVolumeGroup(exported), { code: 'EPERM' });
  });
});
