import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Disk } from '../../../src/disk/index.js';
import {
  canonicalLogicalVolumeName,
  findLogicalVolume,
  isLogicalVolume,
  listLogicalVolumes,
  listMapperDevices,
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
} from '../../../src/volume/lvm2/index.js';
import { facts, stateOf } from './fixtures.js';

/** What only a running kernel knows, or decides by the order of events. */
const dynamic = ['snapPercent', 'copyPercent'];

/** The store of kinds/snap is full, which makes it invalid; that stands in the store, which is not read. */
const unread = (row: Record<string, unknown>): Record<string, unknown> =>
  row.lvName === 'snap' ? { ...row, lvAttr: String(row.lvAttr).replace('I', 'a') } : row;

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
        fact.lvsFull.map((row) => unread(without(camelCase(row), dynamic))).sort(byUuid),
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
          // With members missing the real one fails for every name.
          if (launch === 'whole') assert.equal(isLogicalVolume(state, mapped), false);
          continue;
        }
        assert.equal(canonicalLogicalVolumeName(state, mapped), canonical);
        assert.equal(canonicalLogicalVolumeName(state, canonical), canonical);
        assert.equal(isLogicalVolume(state, mapped), true);
      }
      assert.throws(() => canonicalLogicalVolumeName(state, '/dev/sda'), /\/dev\/sda: not a logical volume/);
      assert.equal(isLogicalVolume(state, '/dev/sda'), false);
    });

    test('the devices of device-mapper, with their minor numbers', () => {
      const devices = listMapperDevices(state);
      assert.deepEqual(devices.map(({ mapperName }) => mapperName).sort(), Object.keys(fact.mapped).sort());
      for (const line of fact.report.trim().split('\n')) {
        const [group, name = '', , , , minor] = line.trim().split(':');
        const device = devices.find(
          ({ volume }) => volume?.group.name === group && volume?.name === name.replace(/^\[(.*)\]$/, '$1'),
        );
        // For a pool lvm2 tells the number of its inner device.
        if (name !== 'pool') assert.equal(device?.minor ?? -1, Number(minor), `${group}/${name}`);
      }
    });

    test('a volume has a device here when it has one in Linux', () => {
      // The full snapshot has a device that cannot be read.
      for (const [device, volume] of Object.entries(fact.volumes))
        if (device !== '/dev/kinds/snap' || launch !== 'whole')
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
