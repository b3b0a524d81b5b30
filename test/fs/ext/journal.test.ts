/** The journal: what is replayed, what is not, and what is made of a damaged one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk, OverlayDisk } from '../../../src/disk/index.js';
import { blockMapOf } from '../../../src/fs/ext/blockmap.js';
import { extDetails } from '../../../src/fs/ext/index.js';
import { crc32BigEndian } from '../../../src/fs/ext/journal/checksum.js';
import { journalHeader, journalMagic } from '../../../src/fs/ext/journal/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { tolerate } from '../../support/damage.js';
import { readAll } from '../../support/gaits.js';
import { pathsOf } from '../../support/tell.js';
import { fixtureNames, openExt, openFixture, readFixture } from './fixture.js';

const written = fixtureNames.filter((name) => name.startsWith('journal-'));

/** Where the blocks of the journal lie, in bytes, and how long they are. */
function journalPlaces(image: Uint8Array): { places: number[]; blockSize: number } {
  const disk = new MemoryDisk(image);
  const first = readSuperblockBytes(disk);
  assert.ok(first);
  const volume = new ExtVolume(disk, decodeSuperblock(first, disk.size), { warn: () => {}, strict: true });
  const { blockSize } = volume.superblock;
  const inode = volume.anyInode(8);
  const map = blockMapOf(volume, inode);
  const places = Array.from({ length: inode.stat.sizeInBytes / blockSize }, (_, logical) => {
    const { block } = map.find(logical, 1);
    assert.ok(block);
    return block * blockSize;
  });
  return { places, blockSize };
}

/** The log's own blocks: where each lies, its type and transaction. */
function logBlocks(image: Uint8Array): { at: number; type: number; sequence: number }[] {
  return journalPlaces(image)
    .places.slice(1)
    .map((at) => {
      const header = journalHeader.decode(image.subarray(at, at + 12));
      return { at, type: header.h_blocktype, sequence: header.h_sequence, magic: header.h_magic };
    })
    .filter(({ magic, sequence }) => magic === journalMagic && sequence > 0);
}

const commit = 2;
const revoke = 5;

/** The content of a file by its path. */
function contents(fs: ReturnType<typeof openExt>, path: string): Buffer {
  const inode = pathsOf(fs).get(path);
  assert.ok(inode, path);
  return Buffer.from(readAll(fs.data(inode)));
}

assert.ok(written.length >= 6);
for (const name of written) {
  test(`${name}: what the log says is read, and the image is not touched`, () => {
    const image = readFixture(name);
    const before = Buffer.from(image);
    const fs = openExt(new MemoryDisk(image));
    const paths = pathsOf(fs);
    assert.ok(paths.has('/new/magic') && paths.has('/new/large') && !paths.has('/removed'));
    assert.equal(contents(fs, '/new/magic').readUInt32BE(0), journalMagic, 'the escaped block');
    assert.equal(fs.readlink(paths.get('/new/link') ?? 0), '../kept');
    assert.equal(Buffer.from(fs.xattrs(paths.get('/kept') ?? 0).get('user.journal') ?? []).toString(), 'yes');
    assert.ok(before.equals(image));
  });

  test(`${name}: with norecovery the log is not looked at`, () => {
    for (const option of ['norecovery', 'noload']) {
      const fs = openFixture(name, {
        options: { ro: true, [option]: true },
        overlay: () => assert.fail('nothing is to be written'),
      });
      const paths = pathsOf(fs);
      assert.ok(!paths.has('/new') && paths.has('/removed'));
    }
  });

  test(`${name}: the overlay is asked for once, and the superblock no longer wants a replay`, () => {
    let overlays = 0;
    let overlay: Disk | undefined;
    const fs = openFixture(name, {
      overlay: (disk) => {
        overlays++;
        overlay = new OverlayDisk(disk);
        return overlay;
      },
    });
    assert.equal(overlays, 1);
    assert.doesNotMatch(extDetails(fs)?.superblockFacts().get('Filesystem features') ?? '', /needs_recovery/);
    assert.ok(overlay);
    // What was written is a filesystem of its own, and clean.
    const again = openExt(overlay, { overlay: () => assert.fail('it is clean') });
    assert.deepEqual([...pathsOf(again)], [...pathsOf(fs)]);
  });

  test(`${name}: a transaction without its commit block is left out`, () => {
    // The first transaction writes rubbish to where the last writes what counts.
    const rubbish = (image: Uint8Array): number => {
      let overlay: Disk | undefined;
      tolerate(() =>
        openExt(new MemoryDisk(image), {
          overlay: (disk) => {
            overlay = new OverlayDisk(disk);
            return overlay;
          },
        }),
      );
      assert.ok(overlay);
      return (
        Buffer.from(readAll(overlay))
          .toString('latin1')
          .split(/(?:rubbish ){64,}/).length - 1
      );
    };
    const image = readFixture(name);
    // The journal itself holds a copy.
    const inLog =
      Buffer.from(image)
        .toString('latin1')
        .split(/(?:rubbish ){64,}/).length - 1;
    assert.equal(rubbish(image), inLog);
    const last = logBlocks(image)
      .filter(({ type }) => type === commit)
      .at(-1);
    assert.ok(last);
    image.fill(0, last.at, last.at + 12);
    assert.ok(rubbish(image) > inLog);
  });
}

test('revoked blocks keep what they held before the log', () => {
  for (const name of written) {
    const image = readFixture(name);
    const { blockSize } = journalPlaces(image);
    assert.ok(
      logBlocks(image).some(({ type }) => type === revoke),
      name,
    );
    let overlay: Disk | undefined;
    openExt(new MemoryDisk(image), {
      overlay: (disk) => {
        overlay = new OverlayDisk(disk);
        return overlay;
      },
    });
    assert.ok(overlay);
    const block = new Uint8Array(blockSize);
    const total = Math.floor(overlay.size / blockSize);
    for (const number of [total - 3, total - 2, total - 40]) {
      overlay.read(block, number * blockSize);
      assert.ok(
        block.every((byte) => byte === 0),
        `${name}: block ${number}`,
      );
    }
  }
});

test('transaction numbers wrap around', () => {
  const image = readFixture('journal-32bit'); // without checksums, so that numbers can be changed
  const view = new DataView(image.buffer, image.byteOffset);
  const { places } = journalPlaces(image);
  const start = view.getUint32((places[0] ?? 0) + 0x18, false);
  const shift = 0xffffffff - start; // the second transaction is then number 0
  for (const { at, sequence } of logBlocks(image)) view.setUint32(at + 8, (sequence + shift) >>> 0, false);
  view.setUint32((places[0] ?? 0) + 0x18, (start + shift) >>> 0, false);
  assert.deepEqual([...pathsOf(openExt(new MemoryDisk(image)))], [...pathsOf(openFixture('journal-32bit'))]);
});

test('a log of blocks that never commit comes to an end', () => {
  const image = readFixture('journal-32bit');
  const { places, blockSize } = journalPlaces(image);
  const descriptor = image.slice(places[1], (places[1] ?? 0) + blockSize);
  const view = new DataView(descriptor.buffer);
  view.setUint32(4, revoke, false);
  view.setUint32(12, 16, false);
  for (const at of places.slice(1)) image.set(descriptor, at);
  assert.ok(pathsOf(openExt(new MemoryDisk(image))).has('/removed'), 'nothing was replayed');
});

test('a damaged log is refused where the kernel refuses it, and can be read past', () => {
  for (const name of written.filter((each) => each.includes('checksum'))) {
    const image = readFixture(name);
    const { places } = journalPlaces(image);
    const blocks = logBlocks(image);
    const descriptor = blocks.find(({ type }) => type === 1);
    const committed = blocks.find(({ type }) => type === commit);
    assert.ok(descriptor && committed);
    const damage = (at: number): Uint8Array => {
      const copy = image.slice();
      copy[at] = (copy[at] ?? 0) ^ 0x40;
      return copy;
    };
    const bad = [damage((places[0] ?? 0) + 0x15), damage(descriptor.at + 20), damage(descriptor.at + 1500)];
    for (const copy of bad.slice(0, 2)) {
      assert.throws(() => openExt(new MemoryDisk(copy)), CorruptError, name);
      const fs = openExt(new MemoryDisk(copy), { options: { ro: true, norecovery: true } });
      assert.ok(pathsOf(fs).has('/removed'));
    }
    assert.throws(
      () => openExt(new MemoryDisk(damage(committed.at + 50))),
      /transaction \d|transaction is damaged/,
      name,
    );
  }
});

test('an external journal is asked for only when there is something in it', () => {
  const image = readFixture('ext2-1k');
  const view = new DataView(image.buffer, image.byteOffset);
  view.setUint32(1024 + 0x5c, view.getUint32(1024 + 0x5c, true) | 4, true); // has_journal
  view.setUint32(1024 + 0xe4, 0x0801, true);
  assert.ok(pathsOf(openExt(new MemoryDisk(image))).size > 100);
  view.setUint32(1024 + 0x60, view.getUint32(1024 + 0x60, true) | 4, true); // needs_recovery
  assert.throws(() => openExt(new MemoryDisk(image)), { code: 'ENOTSUP', message: /external journal/ });
});

test('the sum of version 1 takes the highest bit first', () => {
  // The check value of CRC-32/MPEG-2.
  assert.equal(crc32BigEndian(0xffffffff, Buffer.from('123456789')), 0x0376e6e7);
});
