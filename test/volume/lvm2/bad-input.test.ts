import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import {
  assemble,
  getVolumeGroup,
  type LvmState,
  listLogicalVolumes,
  kind as lvm2,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
} from '../../../src/volume/lvm2/index.js';
import { inactiveReason } from '../../../src/volume/lvm2/volumes.js';
import { Random } from '../../support/random.js';
import { facts, membersOf, readImage, sealHeader, sealLabel, stateOf, withText } from './fixtures.js';

function assembleOne(image: Uint8Array): LvmState {
  return assemble([{ device: '/dev/sda', disk: new MemoryDisk(image) }]);
}

/** Uses everything that a state offers: only the error classes of drivers may come out. */
function useAll(state: LvmState): void {
  reportPhysicalVolumes(state);
  reportVolumeGroups(state);
  reportLogicalVolumes(state);
  const piece = new Uint8Array(700);
  for (const volume of state.logicalVolumes) {
    try {
      const disk = volume.open();
      for (const offset of [0, 4096 - 300, disk.size - piece.length])
        if (offset >= 0 && offset + piece.length <= disk.size) disk.read(piece, offset);
      disk.span(0, Math.min(disk.size, 1 << 20));
    } catch (error) {
      assert.ok(error instanceof GuestfsError, `${error}`);
    }
  }
}

/** The group is left out, and the reason is among the problems. */
function assertLeftOut(image: Uint8Array, reason: RegExp): void {
  const state = assembleOne(image);
  assert.deepEqual(state.volumeGroups, []);
  assert.deepEqual(listLogicalVolumes(state), []);
  assert.match(state.problems.map(({ kind, message }) => `${kind} ${message}`).join('\n'), reason);
  useAll(state);
}

test('probe knows a physical volume by its label in any of the first four sectors', () => {
  const probe = (image: Uint8Array) => lvm2.probe(new MemoryDisk(image))?.type;
  assert.equal(probe(readImage('one-a')), 'LVM2_member');
  assert.equal(probe(readImage('orphan')), 'LVM2_member');
  assert.equal(
    readImage('orphan')
      .subarray(3 * 512, 3 * 512 + 8)
      .toString(),
    'LABELONE',
  );
  for (const size of [0, 1, 511, 512, 1024, 2048, 4096]) assert.equal(probe(new Uint8Array(size)), undefined);
  // In another sector than it says, it is a copy.
  const image = readImage('one-a');
  image.copy(image, 1024, 512, 1024);
  image.fill(0, 512, 1024);
  assert.equal(probe(image), undefined);
});

test('a text that wraps around the end of its buffer is read', () => {
  const state = stateOf(['wrap-a', 'wrap-b']);
  assert.deepEqual(state.problems, []);
  const image = readImage('wrap-a');
  // The label's disk_locn of the first metadata area says where it is.
  const start = 4096;
  const offset = Number(image.readBigUInt64LE(start + 40));
  const size = Number(image.readBigUInt64LE(start + 48));
  assert.ok(offset + size > Number(image.readBigUInt64LE(start + 32)), 'the fixture wraps');
  assert.equal(state.volumeGroups[0]?.name, 'wrapped');
});

test('the newest metadata wins, whichever member is first, and the stale one is named', () => {
  for (const drives of [
    ['wrap-a', 'wrap-b-stale'],
    ['wrap-b-stale', 'wrap-a'],
  ]) {
    const state = stateOf(drives);
    assert.ok(listLogicalVolumes(state).includes('/dev/wrapped/late'));
    assert.ok(
      state.problems.some(
        ({ kind, message }) => kind === 'stale-metadata' && /holds version \d+ .* version \d+/.test(message),
      ),
    );
  }
});

test('metadata that differs under one sequence number is a problem, and the first seen is used', () => {
  const other = withText(readImage('one-b'), (text) => text.replace('"red"', '"rad"'));
  const [first] = membersOf(['one-a']);
  assert.ok(first);
  const state = assemble([first, { device: '/dev/sdb', disk: new MemoryDisk(other) }]);
  assert.ok(state.problems.some(({ message }) => /different metadata .* same sequence number/.test(message)));
  assert.match(reportLogicalVolumes(state).find(({ lvName }) => lvName === 'lin-ear')?.lvTags ?? '', /red/);
});

test('a missing physical volume is named, and only the volumes that need it are refused', () => {
  const state = stateOf(['one-a', 'one-c']);
  const problem = state.problems.find(({ kind }) => kind === 'missing-pv');
  assert.match(
    problem?.message ?? '',
    /vg-one misses the physical volume [\w-]{38} \(pv1, last seen as \/dev\/sd/,
  );
  const open = (name: string): Disk | undefined =>
    state.logicalVolumes.find((volume) => volume.name === name)?.open();
  assert.equal(open('lin-ear')?.size, 512 * 1024);
  const linear = state.logicalVolumes.find(({ name }) => name === 'lin-ear');
  assert.ok(linear);
  assert.deepEqual([linear.active, linear.activatable, linear.partial], [false, true, false]);
  assert.match(
    inactiveReason(linear) ?? '',
    /vg-one misses the physical volume pv1 \(UUID [\w-]{38}, last seen as/,
  );
  assert.throws(() => open('str3'), {
    code: 'ENODEV',
    message: /physical volume pv1 \(UUID [\w-]{38}, last seen as .*\) is missing/,
  });
});

test('two physical volumes of one UUID: the first is used, the second is named', () => {
  const state = stateOf(['big-4k', 'big-4k']);
  assert.deepEqual(
    state.physicalVolumes.map(({ device }) => device),
    ['/dev/sda'],
  );
  assert.match(state.problems[0]?.message ?? '', /\/dev\/sdb has the same UUID as \/dev\/sda/);
});

test('two groups of one name: both are there, by UUID, and neither has devices', () => {
  const state = stateOf(facts.twins.drives);
  assert.equal(state.volumeGroups.length, 2);
  assert.ok(state.problems.some(({ kind }) => kind === 'duplicate-vg-name'));
  for (const group of state.volumeGroups) {
    assert.equal(group.ambiguous, true);
    assert.equal(getVolumeGroup(state, group.uuid), group);
  }
  for (const volume of state.logicalVolumes) {
    assert.equal(volume.activatable, false);
    assert.match(inactiveReason(volume) ?? '', /several volume groups are called twin/);
    assert.equal(volume.open().size, volume.sizeInBytes);
  }
});

test('an exported group is listed, and its volumes refuse to open', () => {
  const state = stateOf(['export']);
  assert.ok(state.problems.some(({ kind }) => kind === 'exported'));
  assert.throws(() => state.logicalVolumes[0]?.open(), { code: 'EPERM', message: /group gone is exported/ });
});

test('a volume can be written when its members and its permissions allow it', () => {
  const members = membersOf(['big-4k'], { writable: true });
  const disk = assemble(members)
    .logicalVolumes.find(({ name }) => name === 'vol')
    ?.open();
  assert.ok(disk?.writable);
  // Across the border of its two segments.
  const piece = Buffer.from('across the border'.repeat(10));
  disk.write(piece, 2 * 1024 * 1024 - 50);
  const back = new Uint8Array(piece.length);
  assemble(members)
    .logicalVolumes.find(({ name }) => name === 'vol')
    ?.open()
    .read(back, 2 * 1024 * 1024 - 50);
  assert.deepEqual(Buffer.from(back), piece);
  const readOnly = assemble(membersOf(facts.whole.drives.slice(0, 3), { writable: true }));
  assert.equal(readOnly.logicalVolumes.find(({ name }) => name === 'locked')?.open().writable, false);
  assert.equal(stateOf(['big-4k']).logicalVolumes[0]?.open().writable, false);
});

test('a physical volume smaller than its metadata says: CorruptError for what lies past its end', () => {
  const image = readImage('big-4k').subarray(0, 3 * 1024 * 1024);
  const state = assembleOne(image);
  assert.throws(() => state.logicalVolumes.find(({ name }) => name === 'vol')?.open(), {
    name: 'CorruptError',
    message: /reaches past the end of pv0/,
  });
});

test('metadata that contradicts itself is left out with the reason', () => {
  const change = (from: string | RegExp, to: string) =>
    withText(readImage('big-4k'), (text) => {
      const changed = text.replace(from, to);
      assert.notEqual(changed, text, `${from} is in the text`);
      return changed;
    });
  assertLeftOut(
    change(/stripes = \[\n"pv0", 4\n/, 'stripes = [\n"pv0", 5\n'),
    /corrupt .*(gives an extent of pv0 to vol2? and to vol)/,
  );
  assertLeftOut(change(/stripes = \[\n"pv0", 0\n/, 'stripes = [\n"pv0", 99999\n'), /past the end of pv0/);
  assertLeftOut(change(/stripes = \[\n"pv0", 0\n/, 'stripes = [\n"pv7", 0\n'), /pv7, which is not there/);
  assertLeftOut(change(/stripes = \[\n"pv0", 0\n/, 'stripes = [\n"pv0", -1\n'), /bad stripe/);
  assertLeftOut(change(/stripes = \[\n"pv0", 0\n/, 'stripes = [\n"pv0"\n'), /bad list of stripes/);
  assertLeftOut(change('start_extent = 4', 'start_extent = 3'), /a gap or an overlap/);
  assertLeftOut(change('start_extent = 4', 'start_extent = 5'), /a gap or an overlap/);
  assertLeftOut(change(/extent_count = \d+/, 'extent_count = 0'), /'extent_count' out of range/);
  assertLeftOut(
    change(/extent_count = \d+/, 'extent_count = 9007199254740991'),
    /CorruptError|gap|beyond|past|larger/,
  );
  assertLeftOut(
    change(/extent_count = \d+/, 'extent_count = 99999999999999999999'),
    /no whole number 'extent_count'/,
  );
  assertLeftOut(change(/segment_count = 2/, 'segment_count = 3'), /another number of segments/);
  assertLeftOut(change(/extent_size = \d+/, 'extent_size = 0'), /extents of no size/);
  assertLeftOut(change(/extent_size = \d+/, 'extent_size = 17592186044415'), /larger than 2\^53|past/);
  assertLeftOut(change(/pe_count = \d+/, 'pe_count = "x"'), /no whole number 'pe_count'/);
  assertLeftOut(change(/pe_count = \d+/, 'pe_count = 1'), /past the end of pv0/);
  assertLeftOut(change(/\nvol \{/, '\n".." {'), /bad name/);
  assertLeftOut(change(/\nvol \{/, '\n"a/b" {'), /bad name/);
  assertLeftOut(change(/^big/, '".."'), /bad name/);
  assertLeftOut(change(/id = "[^"]+"/, 'id = "short"'), /bad identifier/);
  assertLeftOut(
    change('contents = "Text Format Volume Group"', 'contents = "Something Else"'),
    /does not say/,
  );
  assertLeftOut(change(/physical_volumes \{/, 'physical_volumes = 1 x {'), /./);
  assertLeftOut(
    withText(readImage('big-4k'), () => 'a { '.repeat(5000)),
    /nested deeper/,
  );
  assertLeftOut(
    withText(readImage('big-4k'), () => ''),
    /bad size/,
  );
});

test('volumes stacked on each other in a loop, or too wide, end in a CorruptError', () => {
  const image = withText(readImage('big-4k'), (text) =>
    text.replaceAll(/stripes = \[\n"pv0", \d+\n/g, 'stripes = [\n"vol", 0\n'),
  );
  for (const volume of assembleOne(image).logicalVolumes)
    assert.throws(() => volume.open(), { name: 'CorruptError', message: /stacked deeper/ });
});

test('thousands of volumes, each on the next: reports in time, CorruptError to open', () => {
  const image = withText(readImage('big-4k'), (text) => {
    const count = 5000;
    const volumes = Array.from(
      { length: count },
      (_, index) =>
        `v${index}{id="${String(index).padStart(32, '0')}"status=["VISIBLE"]segment_count=1 segment1{start_extent=0 extent_count=1 type="striped" stripe_count=1 stripes=["v${(index + 1) % count}",0]}}`,
    );
    return text.replace(/logical_volumes \{/, `logical_volumes {${volumes.join('')}`);
  });
  const started = Date.now();
  const state = assembleOne(image);
  assert.equal(reportLogicalVolumes(state).length, 5002);
  assert.throws(() => state.logicalVolumes[0]?.open(), { name: 'CorruptError', message: /stacked deeper/ });
  assert.ok(Date.now() - started < 5000);
});

test('a volume on another volume is read through it', () => {
  const image = withText(readImage('big-4k'), (text) =>
    text.replace(/(vol2 \{[\s\S]*?stripes = \[\n)"pv0", \d+\n/, '$1"vol", 1\n'),
  );
  const state = assembleOne(image);
  const read = (name: string, offset: number) => {
    const piece = Buffer.alloc(512);
    state.logicalVolumes
      .find((volume) => volume.name === name)
      ?.open()
      .read(piece, offset);
    return piece.toString();
  };
  assert.equal(read('vol2', 512), read('vol', 512 * 1024 + 512));
  assert.match(read('vol2', 512), /^\/dev\/big\/vol 1025\n/);
});

test('each field of label and headers at its limits behind right checksums', () => {
  const limits = [
    0n,
    1n,
    511n,
    0x7fffffffn,
    0xffffffffn,
    0x1fffffffffffffn,
    0x20000000000000n,
    0xffffffffffffffffn,
  ];
  for (const value of limits) {
    const small = Number(value & 0xffffffffn);
    for (const place of [512 + 20, ...Array.from({ length: 16 }, (_, index) => 512 + 64 + index * 8)]) {
      const image = readImage('big-4k').subarray(0, 64 * 1024);
      if (place === 512 + 20) image.writeUInt32LE(small, place);
      else image.writeBigUInt64LE(value, place);
      sealLabel(image);
      useAll(assembleOne(image));
    }
    for (const place of [20, 24, 32, 40, 48, 56, 60, 64]) {
      const image = readImage('big-4k').subarray(0, 2 * 1024 * 1024);
      if (place === 20 || place >= 56) image.writeUInt32LE(small, 4096 + place);
      else image.writeBigUInt64LE(value, 4096 + place);
      sealHeader(image);
      useAll(assembleOne(image));
    }
  }
});

test('truncated anywhere: a state with or without problems, never an error', () => {
  const image = readImage('wrap-a');
  for (const size of [
    0,
    1,
    512,
    1023,
    1024,
    2048,
    4096,
    4100,
    4607,
    4608,
    5000,
    20000,
    36863,
    36864,
    40000,
    1 << 20,
  ])
    useAll(assembleOne(image.subarray(0, size)));
});

test('seeded mutations: a state and driver errors only', () => {
  const random = new Random(0x9e3779b9);
  const names = ['big-4k', 'kinds-a', 'one-a'];
  const images = names.map((name) => readImage(name).subarray(0, 4 * 1024 * 1024));
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"',
    '=',
    '-1',
    '0',
    '99999999999',
    '#',
    ',',
    'striped',
    'thin',
    'pv0',
    '\\',
    '\n',
  ];
  const until = Date.now() + 1500;
  let groups = 0;
  for (let round = 0; round < 5000 && Date.now() < until; round++) {
    const template = images[round % images.length];
    assert.ok(template);
    // Only the first 1 MiB is changed: copy that, share the rest.
    const image = Buffer.from(template.subarray(0, 1 << 20));
    if (round % 3 === 0) {
      for (let count = 1 + random.below(3); count > 0; count--)
        image[512 + random.below(512)] = random.below(256);
      sealLabel(image);
    } else if (round % 3 === 1) {
      for (let count = 1 + random.below(3); count > 0; count--)
        image[4096 + 20 + random.below(60)] = random.below(256);
      sealHeader(image);
    } else
      withText(image, (text) => {
        let changed = text;
        for (let count = 1 + random.below(3); count > 0; count--) {
          const at = random.below(changed.length);
          changed =
            changed.slice(0, at) +
            (pieces[random.below(pieces.length)] ?? '') +
            changed.slice(at + random.below(12));
        }
        return changed;
      });
    const state = assembleOne(image);
    groups += state.volumeGroups.length;
    useAll(state);
  }
  assert.ok(groups > 0, 'some mutations are still read');
});
