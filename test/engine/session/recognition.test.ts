/** Several kinds on one disk: the rules of libblkid's safe probing, and what its program says. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import { kinds, order } from '../../../src/engine/session/kinds.js';
import { identityOf, namesOf, recognise } from '../../../src/engine/session/recognition.js';
import { asBlkid, askBlkid } from '../../fs/support/blkid.js';
import { diskOf, type ToldPieces } from '../../fs/support/pieces.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { needs } from '../../support/tools.js';
import { needsSamples, openSample, sampleNames } from './samples.js';

const MiB = 2 ** 20;

/** Marks that are enough for a kind to be seen, far enough from each other to lie on one disk. */
const marks: Readonly<Record<string, (image: Buffer) => void>> = {
  minix(image) {
    image.writeUInt16LE(32, 1024); // inodes
    image.writeUInt16LE(1000, 1026); // zones
    image.set([1, 0, 1, 0, 5, 0], 1028); // blocks of the two maps, the first zone
    image.writeUInt16LE(0x137f, 1040);
  },
  reiser4: (image) => image.write('ReIsEr4', 0x10000),
  iso9660(image) {
    image.write('\x01CD001\x01', 0x8000, 'latin1');
    image.write('\xffCD001\x01', 0x8800, 'latin1');
  },
  hfs(image) {
    image.write('BD', 1024);
    image.writeUInt32BE(512, 1024 + 20);
  },
  crypto_LUKS: (image) => image.write('LUKS\xba\xbe\0\x01', 0, 'latin1'),
  bcache(image) {
    image.writeBigUInt64LE(8n, 4096 + 8);
    Buffer.from('c68573f64e1a45ca8265f57f48ba6d81', 'hex').copy(image, 4096 + 24);
  },
  drbd: (image) => image.writeUInt32BE(0x8374026b, image.length - 4096 + 60),
  swap(image) {
    image.writeUInt32LE(1, 1024);
    image.writeUInt32LE(100, 1028);
    image.write('SWAPSPACE2', 4086);
  },
};

function imageOf(names: readonly string[], size = 2 * MiB): Buffer {
  const image = Buffer.alloc(size);
  for (const name of names) marks[name]?.(image);
  return image;
}

function seenOn(names: readonly string[], size?: number): { names: string; type: string | undefined } {
  const recognition = recognise(new MemoryDisk(imageOf(names, size)));
  return { names: namesOf(recognition), type: identityOf(recognition)?.type };
}

describe('several kinds on one disk', () => {
  test('two that exclude each other leave the disk without a name', () => {
    assert.deepEqual(seenOn(['minix', 'reiser4']), { names: 'reiser4 and minix', type: undefined });
    assert.deepEqual(seenOn(['iso9660', 'minix']), { names: 'iso9660 and minix', type: undefined });
    assert.deepEqual(seenOn(['swap', 'reiser4']), { names: 'swap and reiser4', type: undefined });
  });

  test('those that share discs by design do not exclude each other, and the first names the disc', () => {
    assert.deepEqual(seenOn(['iso9660', 'hfs']), { names: 'iso9660 and hfs', type: 'iso9660' });
  });

  test('what is encrypted, or a member of something, hides the filesystems that shine through it', () => {
    assert.deepEqual(seenOn(['crypto_LUKS', 'minix', 'reiser4']), {
      names: 'crypto_LUKS',
      type: 'crypto_LUKS',
    });
    assert.deepEqual(seenOn(['drbd', 'crypto_LUKS', 'iso9660']), { names: 'drbd', type: 'drbd' });
  });

  test('a cache before a member makes the disk ambivalent', () => {
    assert.deepEqual(seenOn(['bcache', 'drbd']), { names: 'bcache and drbd', type: undefined });
  });

  test('a disk as small as a floppy is the first kind seen, and no member', () => {
    const floppy = 1440 * 1024;
    assert.deepEqual(seenOn(['minix', 'reiser4', 'drbd'], floppy), { names: 'reiser4', type: 'reiser4' });
    assert.equal(seenOn(['minix', 'reiser4'], floppy + 512).type, undefined);
    assert.equal(seenOn(['drbd'], floppy).type, undefined);
    assert.equal(seenOn(['drbd'], floppy + 512).type, 'drbd');
  });

  test('nothing is on a disk of 1024 bytes', () => {
    const image = imageOf(['crypto_LUKS'], 4096);
    assert.equal(identityOf(recognise(new MemoryDisk(image.subarray(0, 1024)))), undefined);
    assert.equal(identityOf(recognise(new MemoryDisk(image.subarray(0, 1025))))?.type, 'crypto_LUKS');
  });

  test('blkid says the same of every two and of every three', needs('blkid'), () => {
    const names = Object.keys(marks);
    const sets = names.flatMap((one, i) =>
      names
        .slice(i + 1)
        .flatMap((two, j) => [[one, two], ...names.slice(i + j + 2).map((three) => [one, two, three])]),
    );
    const random = new Random(29);
    for (const set of sets.filter((each) => each.length === 2 || random.below(3) === 0)) {
      const recognition = recognise(new MemoryDisk(imageOf(set)));
      assert.deepEqual(asBlkid(identityOf(recognition)), askBlkid(imageOf(set)), namesOf(recognition));
    }
  });
});

/** What is read of a disk: how many times, and how many bytes. */
function counting(disk: Disk): { disk: Disk; reads: number; bytes: number } {
  const count = { disk, reads: 0, bytes: 0 };
  count.disk = {
    ...disk,
    size: disk.size,
    sectorSize: disk.sectorSize,
    writable: false,
    read(into, offset) {
      count.reads++;
      count.bytes += into.length;
      disk.read(into, offset);
    },
    checkWritable: (offset, length) => disk.checkWritable(offset, length),
    write: (from, offset) => disk.write(from, offset),
    zero: (offset, length) => disk.zero(offset, length),
    span: (offset, length) => disk.span(offset, length),
    flush: () => disk.flush(),
    close: () => disk.close(),
  };
  return count;
}

test('looking for all kinds reads little, and no place twice', () => {
  for (const whole of [true, false]) {
    const count = counting(new MemoryDisk(new Uint8Array(70 * MiB)));
    assert.equal(identityOf(recognise(count.disk, { whole })), undefined);
    assert.ok(count.reads <= (whole ? 32 : 16), `${count.reads} reads`);
    assert.ok(count.bytes <= 68 * 1024 + count.reads * 4096, `${count.bytes} bytes`);
  }
});

/** A disk of which some bytes cannot be read. */
function brokenAt(disk: Disk, from: number, to: number, code: 'EIO' | 'ECANCELED' = 'EIO'): Disk {
  return counting({
    ...counting(disk).disk,
    read(into, offset) {
      if (offset < to && offset + into.length > from) throw new GuestfsError(code, 'a bad sector');
      disk.read(into, offset);
    },
  }).disk;
}

describe('a disk that cannot be read everywhere', () => {
  const disk = () => new MemoryDisk(imageOf(['reiser4', 'drbd']));

  test('is what is seen on the rest of it, and why not all was looked for is told', () => {
    const recognition = recognise(brokenAt(disk(), 2 * MiB - 4096, 2 * MiB));
    assert.equal(identityOf(recognition)?.type, 'reiser4');
    assert.equal(recognition.unread?.code, 'EIO');
    assert.equal(identityOf(recognise(brokenAt(disk(), 4096, 8192)))?.type, 'drbd');
  });

  test('and a call that is cancelled meanwhile has no answer at all', () => {
    const cancelled = brokenAt(disk(), 2 * MiB - 4096, 2 * MiB, 'ECANCELED');
    assert.throws(() => recognise(cancelled), { code: 'ECANCELED' });
  });

  test('has no answer where nothing is seen', () => {
    assert.throws(() => recognise(brokenAt(new MemoryDisk(new Uint8Array(2 * MiB)), 0, 4096)), {
      code: 'EIO',
    });
  });
});

test('each kind has one place in the list, and each is of its type only', () => {
  const names = kinds.map(({ name }) => name);
  assert.deepEqual(names, [...order]);
  assert.equal(new Set(names).size, names.length);
  const roles = new Map(kinds.map((kind) => [kind.name, kind.role]));
  assert.deepEqual(
    ['LVM2_member', 'linux_raid_member', 'crypto_LUKS', 'BitLocker', 'swap', 'ext', 'xfs'].map((name) =>
      roles.get(name),
    ),
    ['member', 'member', 'locked', 'locked', 'filesystem', 'filesystem', 'filesystem'],
  );
  const types = kinds.flatMap((kind) => (kind.role === 'filesystem' ? kind.types : kind.name));
  assert.equal(new Set(types).size, types.length);
});

/** Images that more than one driver sees when each is asked for itself: discs that are made to be both. */
const knownDoubles: Readonly<Record<string, string>> = {
  udf: 'udf iso9660',
  'udf-cd-nero-6': 'udf iso9660',
  'udf-multi-0-417-834-genisoimage': 'udf iso9660',
};

function doublesOf(open: Readonly<Record<string, () => Disk>>): Record<string, string> {
  const doubles: Record<string, string> = {};
  for (const [name, openOne] of Object.entries(open)) {
    const disk = openOne();
    const seen = kinds.filter(
      (kind) => disk.size >= (kind.minimumSize ?? 0) && kind.probe(disk) !== undefined,
    );
    if (seen.length > 1) doubles[name] = seen.map((kind) => kind.name).join(' ');
    disk.close();
  }
  return doubles;
}

describe('each image is seen by one driver, or is among the doubles that are known', () => {
  test('samples of util-linux', needsSamples, () => {
    const all = Object.fromEntries(sampleNames.map((name) => [name, () => openSample(name)]));
    assert.deepEqual(doublesOf(all), knownDoubles);
  });

  test('images of our own', () => {
    const images = readFixtureJson<Record<string, ToldPieces>>('signatures/signatures.json.gz');
    const all = Object.fromEntries(Object.entries(images).map(([name, told]) => [name, () => diskOf(told)]));
    assert.deepEqual(doublesOf(all), { udf: 'udf iso9660' });
  });
});
