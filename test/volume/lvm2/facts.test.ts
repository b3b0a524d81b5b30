import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Disk } from '../../../src/disk/index.js';
import {
  canonicalLogicalVolumeName,
  findLogicalVolume,
  isLogicalVolume,
  listLogicalVolumes,
  listPhysicalVolumes,
  listVolumeGroups,
  logicalVolumeUuid,
  logicalVolumeUuidsOf,
  physicalVolumeUuid,
  physicalVolumeUuidsOf,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
  volumeGroupMetadata,
  volumeGroupUuid,
} from '../../../src/volume/index.js';
import { facts, stateOf } from './fixtures.js';

/** What only a running kernel knows, or decides by the order of events. */
const dynamic = ['snapPercent', 'copyPercent', 'lvKernelMinor'];

function camelCase(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

function without(row: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));
}

/** The whole volume read in pieces of one length. */
function digest(disk: Disk, pieceLength: number): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(pieceLength);
  for (let offset = 0; offset < disk.size; offset += pieceLength) {
    const part = piece.subarray(0, Math.min(pieceLength, disk.size - offset));
    disk.read(part, offset);
    hash.update(part);
  }
  return hash.digest('hex');
}

for (const [launch, fact] of Object.entries(facts)) {
  describe(`as the real libguestfs with the drives "${launch}"`, () => {
    const state = stateOf(fact.drives);

    test('pvs, vgs, lvs', () => {
      assert.deepEqual(listPhysicalVolumes(state), fact.pvs);
      assert.deepEqual(listVolumeGroups(state), fact.vgs);
      assert.deepEqual(listLogicalVolumes(state), fact.lvs);
    });

    test('pvs_full', () => {
      const byUuid = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        String(a.pvUuid) < String(b.pvUuid) ? -1 : 1;
      assert.deepEqual(
        reportPhysicalVolumes(state)
          .map((row) => ({ ...row }))
          .sort(byUuid),
        fact.pvsFull.map(camelCase).sort(byUuid),
      );
    });

    test('vgs_full', () => {
      const byUuid = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        String(a.vgUuid) < String(b.vgUuid) ? -1 : 1;
      assert.deepEqual(
        reportVolumeGroups(state)
          .map((row) => ({ ...row }))
          .sort(byUuid),
        fact.vgsFull.map(camelCase).sort(byUuid),
      );
    });

    test('lvs_full', () => {
      const byUuid = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        String(a.lvUuid) < String(b.lvUuid) ? -1 : 1;
      assert.deepEqual(
        reportLogicalVolumes(state)
          .map((row) => without(row, dynamic))
          .sort(byUuid),
        fact.lvsFull.map((row) => without(camelCase(row), dynamic)).sort(byUuid),
      );
    });

    test('the order of the reports', () => {
      assert.deepEqual(
        reportVolumeGroups(state).map(({ vgUuid }) => vgUuid),
        fact.vgsFull.map((row) => row.vg_uuid),
      );
      assert.deepEqual(
        reportLogicalVolumes(state).map(({ lvUuid }) => lvUuid),
        fact.lvsFull.map((row) => row.lv_uuid),
      );
      assert.deepEqual(
        reportPhysicalVolumes(state).map(({ pvUuid }) => pvUuid),
        fact.pvsFull.map((row) => row.pv_uuid),
      );
    });

    test('pvuuid, vguuid, lvuuid, vgpvuuids, vglvuuids', () => {
      for (const [device, uuid] of Object.entries(fact.pvuuids))
        assert.equal(physicalVolumeUuid(state, device), uuid);
      for (const [name, group] of Object.entries(fact.groups)) {
        if (!group) {
          assert.throws(() => volumeGroupUuid(state, name), /several volume groups have this name/);
          continue;
        }
        assert.equal(volumeGroupUuid(state, name), group.uuid);
        assert.deepEqual(physicalVolumeUuidsOf(state, name), group.pvs);
        assert.deepEqual(logicalVolumeUuidsOf(state, name), group.lvs);
        // By its UUID as well as by its name.
        assert.equal(volumeGroupUuid(state, group.uuid), group.uuid);
      }
      for (const [device, volume] of Object.entries(fact.volumes))
        if (volume?.uuid) assert.equal(logicalVolumeUuid(state, device), volume.uuid);
    });

    test('lvm_canonical_lv_name and is_lv', () => {
      for (const [mapped, canonical] of Object.entries(fact.mapped)) {
        if (canonical === null) {
          assert.equal(isLogicalVolume(state, mapped), false);
          continue;
        }
        assert.equal(canonicalLogicalVolumeName(state, mapped), canonical);
        assert.equal(canonicalLogicalVolumeName(state, canonical), canonical);
        assert.equal(isLogicalVolume(state, mapped), true);
      }
      assert.throws(() => canonicalLogicalVolumeName(state, '/dev/sda'), /\/dev\/sda: not a logical volume/);
      assert.equal(isLogicalVolume(state, '/dev/sda'), false);
    });

    test('attributes and sizes of hidden volumes', () => {
      for (const line of fact.report.trim().split('\n')) {
        const [group, name = '', attributes, , size] = line.trim().split(':');
        if (!name.startsWith('[')) continue;
        const found = state.logicalVolumes.find(
          (volume) => volume.group.name === group && `[${volume.name}]` === name,
        );
        // The spare of pools is a volume like others; the relation of a snapshot is none.
        assert.ok(found, name);
        assert.equal(found.hidden, true, name);
        assert.ok(attributes && size);
      }
    });

    test('a volume has a device here when it has one in Linux', () => {
      for (const [device, volume] of Object.entries(fact.volumes))
        assert.equal(findLogicalVolume(state, device)?.active, volume?.size !== null, device);
    });

    for (const [device, volume] of Object.entries(fact.volumes)) {
      if (!volume?.sha256) continue;
      const found = findLogicalVolume(state, device);
      const refused = ['kinds/snap', 'kinds/mir', 'kinds/r1', 'kinds/thin1', 'kinds/cached'].includes(
        device.slice('/dev/'.length),
      );
      if (refused)
        test(`${device} is refused by the name of its segment type`, () => {
          assert.throws(() => found?.open(), { name: 'UnsupportedError', message: /segment type [a-z]/ });
        });
      else
        test(`${device} reads as in Linux: whole, block by block, at odd offsets`, () => {
          const disk = found?.open();
          assert.ok(disk);
          assert.equal(disk.size, volume.size);
          assert.equal(digest(disk, disk.size), volume.sha256);
          assert.equal(digest(disk, 4096), volume.sha256);
          assert.equal(digest(disk, 12347), volume.sha256);
        });
    }
  });
}

test('vgmeta gives the text of the group', () => {
  const text = Buffer.from(volumeGroupMetadata(stateOf(facts.whole.drives), 'vg-one')).toString();
  assert.match(text, /^vg-one \{\nid = "/);
  assert.ok(!text.includes('\0'));
  assert.match(text, /contents = "Text Format Volume Group"/);
});

test('names that do not exist are refused by name', () => {
  const state = stateOf(facts.whole.drives);
  assert.throws(() => volumeGroupUuid(state, 'nope'), {
    code: 'ENOENT',
    message: /nope: volume group not found/,
  });
  assert.throws(() => logicalVolumeUuid(state, '/dev/sda'), /not a logical volume/);
  assert.throws(() => physicalVolumeUuid(state, '/dev/nope'), /not a physical volume/);
});
