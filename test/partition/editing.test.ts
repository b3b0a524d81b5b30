/** Partition tables made and changed, against what sfdisk, sgdisk and parted say of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { type Disk, MappedDisk, MemoryDisk, OverlayDisk } from '../../src/disk/index.js';
import type { NewPartition } from '../../src/partition/editing/editor.js';
import type { GptEditor } from '../../src/partition/editing/gpt-editor.js';
import { MbrEditor } from '../../src/partition/editing/mbr-editor.js';
import { editPartitionTable, newPartitionTable, readPartitionTable } from '../../src/partition/index.js';
import '../support/platform.js';
import { readFixture } from '../support/fixtures.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const mebibyte = 1024 * 1024;
const directory = scratchDirectory();
const imagePath = join(directory, 'disk.img');

type Bytes = Uint8Array<ArrayBuffer>;
type Editor = GptEditor | MbrEditor;
type Scheme = Editor['scheme'];

const diskOf = (bytes: Uint8Array, sectorSize = 512): Disk =>
  new MemoryDisk(bytes, { writable: true, sectorSize });

function run(program: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { env: toolEnvironment, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

/** Has a tool look at the bytes, and gives what it said. */
function told(bytes: Uint8Array, program: string, ...args: string[]): string {
  writeFileSync(imagePath, bytes);
  const { status, text } = run(program, ...args, imagePath);
  assert.equal(status, 0, text);
  return text;
}

/** sgdisk finds nothing wrong. */
function verifyGpt(bytes: Uint8Array): void {
  assert.match(told(bytes, 'sgdisk', '-v'), /No problems found/);
}

/** What a table says, without what is random. */
function summary(disk: Disk, sectorSize = 512) {
  const table = readPartitionTable(disk, sectorSize);
  return {
    scheme: table?.scheme,
    warnings: table?.warnings,
    partitions: table?.partitions.map(({ gptGuid, ...rest }) => ({
      ...rest,
      hasGuid: gptGuid !== undefined,
    })),
  };
}

function changed<E extends Editor>(
  disk: Disk,
  scheme: E['scheme'],
  work: (editor: E) => void,
  sectorSize = 512,
): void {
  const editor = editPartitionTable(disk, sectorSize, scheme) as E;
  work(editor);
  editor.write();
}

const created = (scheme: Scheme, size = 64 * mebibyte, sectorSize = 512): { bytes: Bytes; disk: Disk } => {
  const bytes = new Uint8Array(size);
  const disk = diskOf(bytes, sectorSize);
  newPartitionTable(disk, sectorSize, scheme).write();
  return { bytes, disk };
};

const refuses = (work: () => unknown, code: GuestfsError['code'] = 'EINVAL') =>
  assert.throws(work, (thrown) => thrown instanceof GuestfsError && thrown.code === code);

describe('a GPT', () => {
  test('is made, filled and changed so that sgdisk finds nothing wrong', needs('sgdisk'), () => {
    const { bytes, disk } = created('gpt');
    verifyGpt(bytes);
    changed<GptEditor>(disk, 'gpt', (gpt) => {
      assert.deepEqual(gpt.usable, { first: 34, last: 131_038 });
      assert.equal(gpt.add({ kind: 'primary', first: 2048, last: 20_479, name: 'one' }), 1);
      assert.equal(gpt.add({ kind: 'primary', first: 20_480, last: 131_038, name: 'two' }), 2);
      assert.equal(gpt.add({ kind: 'primary', first: 34, last: 2047, name: 'three' }), 3);
      refuses(() => gpt.add({ kind: 'primary', first: 34, last: 34 }));
      refuses(() => gpt.add({ kind: 'primary', first: 131_039, last: 131_039 }));
    });
    verifyGpt(bytes);
    changed<GptEditor>(disk, 'gpt', (gpt) => {
      gpt.remove(2);
      gpt.resize(1, 30_000);
      gpt.setBootable(1, true);
      gpt.setAttributes(1, 0xffff_0000_0000_0005n);
      gpt.setGuid(3, '{01234567-89ab-cdef-0123-456789abcdef}');
      gpt.setType(3, '21686148-6449-6E6F-744E-656564454649');
      gpt.setName(1, 'räume 💾');
      gpt.setDiskGuid('11111111-2222-3333-4444-555555555555');
      refuses(() => gpt.remove(2));
      refuses(() => gpt.resize(1, 2047));
    });
    verifyGpt(bytes);
    const { partitions = [], diskGuid } = readPartitionTable(disk, 512) ?? {};
    assert.equal(diskGuid, '11111111-2222-3333-4444-555555555555');
    assert.deepEqual(
      partitions.map(({ number, name, gptType, attributes }) => ({ number, name, gptType, attributes })),
      [
        {
          number: 1,
          name: 'räume 💾',
          gptType: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
          attributes: 0xffff_0000_0000_0005n,
        },
        { number: 3, name: 'three', gptType: '21686148-6449-6E6F-744E-656564454649', attributes: 0n },
      ],
    );
    assert.match(told(bytes, 'sgdisk', '-i3'), /01234567-89AB-CDEF-0123-456789ABCDEF/);
  });

  test('of sectors of 4096 bytes has its places, and fdisk reads it', needs('fdisk'), () => {
    const { bytes, disk } = created('gpt', 64 * mebibyte, 4096);
    const grow = (gpt: GptEditor): void => {
      assert.deepEqual(gpt.usable, { first: 6, last: 16_378 });
      gpt.add({ kind: 'primary', first: 6, last: 16_378 });
    };
    changed<GptEditor>(disk, 'gpt', grow, 4096);
    assert.deepEqual(readPartitionTable(disk, 4096)?.warnings, []);
    assert.match(
      told(bytes, 'fdisk', '-b', '4096', '-l'),
      /^Disklabel type: gpt$[\s\S]*img1 +6 +16378 +16373 /m,
    );
  });

  test('takes the place of all that was found on the disk before', needs('sgdisk', 'sfdisk'), () => {
    const { bytes, disk } = created('msdos');
    changed<MbrEditor>(disk, 'msdos', (mbr) => void mbr.add({ kind: 'primary', first: 1, last: 100 }));
    bytes.fill(0x53, 1024, 2048);
    newPartitionTable(disk, 512, 'gpt').write();
    verifyGpt(bytes);
    newPartitionTable(disk, 512, 'msdos').write();
    assert.equal(Buffer.from(bytes).indexOf('EFI PART'), -1, 'nothing is left of the GPT');
    assert.match(told(bytes, 'sfdisk', '-d'), /label: dos/);
  });

  test('that one damaged copy is left of has both after a change', needs('sgdisk'), () => {
    for (const at of [512, 64 * mebibyte - 512]) {
      const { bytes, disk } = created('gpt');
      bytes.fill(0xff, at, at + 100);
      changed<GptEditor>(disk, 'gpt', (gpt) => void gpt.add({ kind: 'primary', first: 2048, last: 4095 }));
      verifyGpt(bytes);
    }
  });

  test('follows its disk to a larger size, and a hybrid record stays as it is', needs('sgdisk'), () => {
    for (const isHybrid of [false, true]) {
      const { bytes, disk } = created('gpt');
      changed<GptEditor>(disk, 'gpt', (gpt) => void gpt.add({ kind: 'primary', first: 2048, last: 4095 }));
      writeFileSync(imagePath, bytes);
      if (isHybrid) assert.equal(run('sgdisk', '-h', '1', imagePath).status, 0);
      truncateSync(imagePath, 80 * mebibyte);
      const larger = new Uint8Array(readFileSync(imagePath));
      const before = larger.slice(0, 512);
      changed<GptEditor>(diskOf(larger), 'gpt', (gpt) => {
        gpt.expand();
        assert.deepEqual(gpt.usable, { first: 34, last: (80 * mebibyte) / 512 - 34 });
        gpt.add({ kind: 'primary', first: 70 * 2048, last: gpt.usable.last });
      });
      verifyGpt(larger);
      assert.equal(Buffer.compare(before, larger.subarray(0, 512)) === 0, isHybrid);
    }
  });

  test('needs a disk with room for it', () => {
    const bytes = new Uint8Array(67 * 512);
    refuses(() => newPartitionTable(diskOf(bytes), 512, 'gpt'), 'ENOSPC');
    refuses(() => newPartitionTable(diskOf(new Uint8Array(512)), 512, 'gpt'), 'ENOSPC');
    newPartitionTable(diskOf(new Uint8Array(68 * 512)), 512, 'gpt').write();
  });

  test('whose disk was cut off is not changed', () => {
    const { bytes } = created('gpt');
    const shorter = bytes.slice(0, 60 * mebibyte);
    refuses(() => editPartitionTable(diskOf(shorter), 512, 'gpt'), 'EIO');
  });
});

describe('an MBR', () => {
  test('has primary, extended and logical partitions, which sfdisk verifies', needs('sfdisk'), () => {
    const { bytes, disk } = created('msdos');
    changed<MbrEditor>(disk, 'msdos', (mbr) => {
      assert.equal(mbr.add({ kind: 'primary', first: 2048, last: 20_479 }), 1);
      assert.equal(mbr.add({ kind: 'extended', first: 40_960, last: 131_071 }), 2);
      assert.equal(mbr.add({ kind: 'logical', first: 43_008, last: 60_000 }), 5);
      assert.equal(mbr.add({ kind: 'logical', first: 63_488, last: 80_000 }), 6);
      refuses(() => mbr.add({ kind: 'logical', first: 80_001, last: 80_002 }));
      assert.equal(mbr.add({ kind: 'logical', first: 80_002, last: 90_000 }), 7);
      refuses(() => mbr.add({ kind: 'primary', first: 3000, last: 3000 }));
      refuses(() => mbr.add({ kind: 'extended', first: 30_000, last: 30_001 }));
      refuses(() => mbr.setType(1, 0x0f));
      mbr.setBootable(1, true);
      mbr.setType(6, 0x8e);
    });
    const list = (): string[] =>
      told(bytes, 'sfdisk', '-d')
        .split('\n')
        .filter((line) => line.includes('start='))
        .map((line) => line.replaceAll(' ', '').replace(/^.*img/, ''));
    assert.deepEqual(list(), [
      '1:start=2048,size=18432,type=83,bootable',
      '2:start=40960,size=90112,type=f',
      '5:start=43008,size=16993,type=83',
      '6:start=63488,size=16513,type=8e',
      '7:start=80002,size=9999,type=83',
    ]);
    assert.doesNotMatch(told(bytes, 'sfdisk', '--verify'), /overlap|inconsist|outside/i);
    changed<MbrEditor>(disk, 'msdos', (mbr) => {
      mbr.remove(5);
      mbr.resize(6, 91_000);
      mbr.setBootable(6, true);
    });
    assert.deepEqual(list(), [
      '1:start=2048,size=18432,type=83',
      '2:start=40960,size=90112,type=f',
      '5:start=63488,size=16513,type=8e',
      '6:start=80002,size=10999,type=83,bootable',
    ]);
    changed<MbrEditor>(disk, 'msdos', (mbr) => {
      refuses(() => mbr.resize(2, 90_999));
      mbr.remove(2);
    });
    assert.deepEqual(list(), ['1:start=2048,size=18432,type=83']);
  });

  test('reaches as far as its numbers do', () => {
    const huge = new OverlayDisk(
      new MappedDisk(6e12, (at) => ({ kind: 'hole', length: 6e12 - at }), { name: 'huge' }),
    );
    const mbr = MbrEditor.create(huge, 512);
    refuses(() => mbr.add({ kind: 'primary', first: 2048, last: 2048 + 2 ** 32 - 1 }));
    refuses(() => mbr.add({ kind: 'primary', first: 2 ** 32, last: 2 ** 32 + 10 }));
    assert.equal(mbr.add({ kind: 'primary', first: 2048, last: 2 ** 32 - 2 }), 1);
    assert.equal(mbr.add({ kind: 'primary', first: 2 ** 32 - 1, last: 2 ** 33 - 3 }), 2);
    mbr.write();
    assert.deepEqual(summary(huge).warnings, []);
    huge.close();
  });
});

/** A change that parted and the editors can both be asked for. */
type Change = readonly string[];

function randomChange(random: Random, scheme: Scheme, sectors: number, step: number): Change {
  if (step === 0 && scheme === 'msdos') return ['mkpart', 'extended', `${sectors / 4}s`, '-100s'];
  const number = String(random.below(9) + 1);
  const first = random.below(sectors);
  const last = Math.min(sectors + 2, first + random.below(sectors / 16));
  const choice = random.below(10);
  const kind =
    scheme === 'gpt' ? 'primary' : random.pick(['primary', 'logical', 'logical', 'logical', 'extended']);
  if (choice < 6) return ['mkpart', kind, `${first}s`, `${last}s`];
  if (choice < 7) return ['rm', number];
  if (choice < 8) return ['resizepart', number, `${last}s`];
  return ['set', number, 'boot', random.pick(['on', 'off'])];
}

function apply(editor: Editor, [verb, ...args]: Change): void {
  const [one = '', two = '', three = ''] = args;
  const sector = (text: string): number => {
    const number = Number(text.replace('s', ''));
    return number < 0 ? (8 * mebibyte) / 512 + number : number;
  };
  if (verb === 'mkpart')
    editor.add({
      kind: one as NewPartition['kind'],
      first: sector(two),
      last: sector(three),
      name: 'primary',
    });
  else if (verb === 'rm') editor.remove(Number(one));
  else if (verb === 'resizepart') editor.resize(Number(one), sector(two));
  else editor.setBootable(Number(one), three === 'on');
}

describe('random changes end as parted ends them', () => {
  for (const scheme of ['gpt', 'msdos'] as const)
    for (const seed of [1, 2, 3])
      test(`${scheme}, seed ${seed}`, needs('parted'), () => {
        const random = new Random(seed);
        const size = 8 * mebibyte;
        const theirs = join(directory, `${scheme}-${seed}.img`);
        writeFileSync(theirs, new Uint8Array(size));
        assert.equal(run('parted', '-s', '--', theirs, 'mklabel', scheme).status, 0);
        const { disk } = created(scheme, size);
        let done = 0;
        for (let step = 0; step < 40; step++) {
          const change = randomChange(random, scheme, size / 512, step);
          const { status, text } = run('parted', '-s', '--', theirs, ...change);
          // parted does not shrink without being asked again.
          if (/Shrinking a partition/.test(text)) continue;
          const editor = editPartitionTable(disk, 512, scheme);
          const ours = ((): number => {
            try {
              apply(editor, change);
              editor.write();
              return 0;
            } catch (thrown) {
              if (!(thrown instanceof GuestfsError)) throw thrown;
              return 1;
            }
          })();
          const where = `step ${step}: ${change.join(' ')}: ${text}`;
          assert.equal(ours, status, where);
          if (status === 0) done++;
          assert.deepEqual(summary(disk), summary(diskOf(readFileSync(theirs))), where);
        }
        assert.ok(done >= 8, `only ${done} changes were possible`);
      });
});

test('a logical partition that ends beyond what a link can tell is refused, and nothing is written', () => {
  const bytes = readFixture('partition/mbr-logical.img.gz');
  const view = new DataView(bytes.buffer);
  const entries = [446, 462, 478, 494];
  const extended = entries.find((at) => [0x05, 0x0f].includes(view.getUint8(at + 4)));
  assert.ok(extended);
  const first = view.getUint32(extended + 8, true);
  const second = first + view.getUint32(first * 512 + 462 + 8, true);
  assert.ok(second > first);
  view.setUint32(second * 512 + 446 + 12, 0xffff_ffff, true);
  const before = Uint8Array.from(bytes);
  const editor = editPartitionTable(diskOf(bytes), 512, 'msdos');
  editor.setBootable(1, true);
  assert.throws(() => editor.write(), { name: 'CorruptError', message: /too far before the end/ });
  assert.deepEqual(bytes, before);
});
