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
import { MemoryDisk } from '../../../src/disk/index.js';
import { parseConfig } from '../../../src/volume/lvm2/config.js';
import {
  assemble,
  type Commit,
  changePhysicalVolumeUuid,
  changeVolumeGroupUuid,
  createLogicalVolume,
  createPhysicalVolume,
  createVolumeGroup,
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
import { readLabel } from '../../../src/volume/lvm2/label.js';
import { textAreas } from '../../../src/volume/lvm2/write/areas.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import {
  author,
  crashGroup,
  crashLabel,
  extentsOf,
  groupChanges,
  grouped,
  groupOf,
  labelChanges,
  MiB,
  type Volume,
  volumeOf,
} from './crash-model.js';
import { membersOf, readImage, sealHeader } from './fixtures.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-lvm-'));
after(() => rmSync(directory, { recursive: true }));

const blank = (...mebibytes: readonly number[]): Volume[] =>
  mebibytes.map((size, index) => ({
    device: `/dev/sd${String.fromCharCode(97 + index)}`,
    disk: new MemoryDisk(new Uint8Array(size * MiB), { writable: true }),
  }));

/** A group whose text has a field more, of so many bytes. */
function withNote(group: VolumeGroup, length: number): VolumeGroup {
  const text = Buffer.from(group.rawText).toString('latin1');
  const longer = text.replace('flags = []', `flags = []\nnote = "${'x'.repeat(length)}"`);
  return Object.assign(Object.create(group), { rawText: Buffer.from(longer, 'latin1') });
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
  for (const [name, { needed }] of Object.entries(groupChanges))
    test(`in ${name} leaves the old group or the new one, and a barrier that is left out is found`, () => {
      const { wrong, cuts, isComplete, recording } = crashGroup(name, { most: 150 });
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
      assert.ok(cuts > 10 && isComplete);
      const without = (barrier: number) =>
        crashGroup(name, { most: 60, untilWrong: true, withoutBarriers: [barrier] });
      const barriers = Array.from({ length: recording.barriers }, (_, barrier) => barrier);
      assert.deepEqual(
        barriers.filter((barrier) => without(barrier).wrong.length > 0),
        needed,
      );
    });

  for (const name of Object.keys(labelChanges))
    test(`in ${name} leaves the old label or the new one, and a barrier that is left out is found`, () => {
      const { wrong, recording } = crashLabel(name, { most: 60 });
      assert.deepEqual(wrong.slice(0, 3), []);
      for (let barrier = 0; barrier < recording.barriers; barrier++)
        assert.ok(crashLabel(name, { most: 60, withoutBarriers: [barrier] }).wrong.length > 0, `${barrier}`);
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

  test('whose area says it is longer than its label does, or reaches into the data, is not written', () => {
    for (const change of ['area', 'data'] as const) {
      const image = readImage('one-a');
      const label = readLabel(new MemoryDisk(image)) ?? assert.fail();
      const [area, data] = [label.metadataAreas[0] ?? assert.fail(), label.dataAreas[0] ?? assert.fail()];
      const header = image.subarray(area.offset);
      const longer = change === 'area' ? area.size + 512 : data.offset - area.offset + 512;
      assert.equal(header.readBigUInt64LE(32), BigInt(area.size));
      header.writeBigUInt64LE(BigInt(longer), 32);
      sealHeader(image, area.offset);
      const size = change === 'area' ? area.size : longer;
      const disk = new MemoryDisk(image, { writable: true });
      const before = image.slice();
      assert.throws(
        () =>
          textAreas([{ device: '/dev/sda', disk, label: { ...label, metadataAreas: [{ ...area, size }] } }]),
        change === 'area' ? /longer than its label says/ : /reaches into the data/,
      );
      assert.deepEqual(image, before);
    }
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
