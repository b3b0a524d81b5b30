/** Filesystems on several devices that say what is not so: of their number, of each other, and of where things lie. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32cOfView, UnsupportedError, viewOf } from '../../../src/base/index.js';
import { type Disk, MemoryDisk, OverlayDisk } from '../../../src/disk/index.js';
import { btrfs } from '../../../src/fs/btrfs/index.js';
import {
  checksummedFrom,
  headerAt,
  objects,
  superblock,
  superblockSize,
  superblocksAt,
} from '../../../src/fs/btrfs/layout.js';
import { qcow2 } from '../../../src/image/qcow2/index.js';
import { readFixture } from '../../support/fixtures.js';
import { find, tellFiles } from '../../support/tell.js';
import { openVolume } from '../conformance.js';
import { btrfsVolumes } from './suite.js';

type Superblock = ReturnType<typeof superblock.decode>;

/** A device of a fixture of several, in a layer that can be changed. */
function device(name: string, number: number): OverlayDisk {
  const image = new MemoryDisk(readFixture(`btrfs/${name}.${number}.qcow2.gz`));
  return new OverlayDisk(
    qcow2.open(image, {
      openNamed: () => assert.fail('it names no other file'),
      warn: (message) => assert.fail(message),
    }),
  );
}

function stampSum(block: Uint8Array): Uint8Array {
  const view = viewOf(block);
  view.setUint32(0, ~crc32cOfView(0xffffffff, view, checksummedFrom, block.length) >>> 0, true);
  return block;
}

/** Changes all copies of the superblock, whose checksums are right again. */
function editSuperblock(disk: Disk, change: (raw: Superblock) => Partial<Superblock>): void {
  for (const at of superblocksAt) {
    if (at + superblockSize > disk.size) continue;
    const bytes = new Uint8Array(superblockSize);
    disk.read(bytes, at);
    superblock.encode(change(superblock.decode(bytes)), bytes);
    disk.write(stampSum(bytes), at);
  }
}

/** Changes the blocks of a tree, whose checksums are right again; gives how many it changed. */
function editBlocks(disk: Disk, tree: number, change: (block: Buffer) => boolean): number {
  const bytes = new Uint8Array(superblockSize);
  disk.read(bytes, superblocksAt[0]);
  const { fsid, nodesize } = superblock.decode(bytes);
  let changed = 0;
  for (let at = 0; at + nodesize <= disk.size; at += 4096) {
    if (disk.span(at, nodesize).hole) continue;
    const block = Buffer.alloc(nodesize);
    disk.read(block, at);
    const isOurs = Buffer.from(fsid).equals(block.subarray(headerAt.fsid, headerAt.fsid + 16));
    if (!isOurs || block.readBigUInt64LE(headerAt.owner) !== BigInt(tree)) continue;
    if (!change(block)) continue;
    disk.write(stampSum(block), at);
    changed++;
  }
  return changed;
}

function open(disks: readonly Disk[], options: Record<string, string | true> = {}) {
  const [first, ...others] = disks;
  assert.ok(first);
  const warnings: string[] = [];
  const fs = openVolume(btrfs, first, { others, options, warn: (message) => warnings.push(message) });
  return { fs, warnings };
}

const pair = (): OverlayDisk[] => [device('raid1-2', 1), device('raid1-2', 2)];

describe('devices', () => {
  test('more than there are, as many as a number can say, are missing', () => {
    for (const count of [3, 2 ** 53 - 1]) {
      const disks = pair();
      for (const disk of disks) editSuperblock(disk, () => ({ num_devices: count }));
      assert.throws(() => open(disks), { code: 'EINVAL', message: /devices \d+ are missing.*degraded/ });
      const { fs, warnings } = open(disks, { degraded: true });
      assert.ok([...tellFiles(fs)].length > 400);
      assert.match(warnings.join(), new RegExp(`of its ${count} devices ${count - 2} are missing`));
    }
  });

  test('none at all is corrupt', () => {
    const disks = pair();
    for (const disk of disks) editSuperblock(disk, () => ({ num_devices: 0 }));
    assert.throws(() => open(disks), { name: 'CorruptError', message: /has no devices/ });
  });

  test('fewer than there are: all that hold something are read', () => {
    const disks = pair();
    for (const disk of disks) editSuperblock(disk, () => ({ num_devices: 1 }));
    assert.ok([...tellFiles(open(disks).fs)].length > 400);
    assert.throws(() => open(disks.slice(0, 1)), { code: 'EINVAL', message: /1 are missing: 2:/ });
  });

  test('two of one number are refused, and which', () => {
    const [first, second] = pair();
    assert.ok(first && second);
    assert.throws(() => open([first, second, device('raid1-2', 2)]), {
      name: 'CorruptError',
      message: /two of its disks are the same device.*device=2/,
    });
    editSuperblock(second, () => ({ dev_item_devid: 1 }));
    assert.throws(() => open([first, second]), { name: 'CorruptError', message: /the same device/ });
  });

  test('of another number than the chunks name are missing', () => {
    const [first, second] = pair();
    assert.ok(first && second);
    editSuperblock(second, () => ({ dev_item_devid: 77 }));
    assert.throws(() => open([first, second]), { code: 'EINVAL', message: /1 are missing: 2:/ });
    const { fs } = open([first, second], { degraded: true });
    assert.ok([...tellFiles(fs)].length > 400);
  });
});

/** The second device, in the chunk tree's blocks and in the superblock's list, made one that is nowhere. */
function renameDevice(disks: readonly Disk[]): void {
  const rename = (bytes: Buffer): boolean => {
    // A stripe: number of the device, offset, UUID.
    let found = false;
    const uuid = Buffer.from(superblockOf(disks[1] as Disk).dev_item_uuid); // safe: there are two
    for (let at = bytes.indexOf(uuid, 32); at >= 0; at = bytes.indexOf(uuid, at + 1)) {
      if (at < 16 || bytes.readBigUInt64LE(at - 16) !== 2n) continue;
      bytes.writeBigUInt64LE(4000n, at - 16);
      found = true;
    }
    return found;
  };
  let blocks = 0;
  for (const disk of disks) {
    editSuperblock(disk, ({ sys_chunk_array: chunks }) => {
      const changed = Buffer.from(chunks);
      rename(changed);
      return { sys_chunk_array: changed };
    });
    blocks += editBlocks(disk, objects.chunkTree, rename);
  }
  assert.ok(blocks > 0);
}

function superblockOf(disk: Disk): Superblock {
  const bytes = new Uint8Array(superblockSize);
  disk.read(bytes, superblocksAt[0]);
  return superblock.decode(bytes);
}

describe('chunks', () => {
  test('on a device that is nowhere: what lies there alone is an error to whoever asks', () => {
    const mirrored = pair();
    renameDevice(mirrored);
    assert.throws(() => open(mirrored), { code: 'EINVAL', message: /1 are missing: 4000:/ });
    assert.ok([...tellFiles(open(mirrored, { degraded: true }).fs)].length > 400);
    const striped = [device('raid0-2', 1), device('raid0-2', 2)];
    renameDevice(striped);
    assert.throws(() => open(striped), { code: 'EINVAL', message: /missing: 4000:/ });
    assert.throws(() => [...tellFiles(open(striped, { degraded: true }).fs)], {
      name: 'CorruptError',
      message: /on a device that is missing.*device=4000/,
    });
  });
});

describe('loops', () => {
  test('a block that is its own child, or its parent’s, is refused', () => {
    const bytes = btrfsVolumes.read('mixed');
    const disk = new OverlayDisk(new MemoryDisk(bytes));
    let deepest = 0;
    const changed = editBlocks(disk, objects.topLevel, (block) => {
      const level = block.readUInt8(headerAt.level);
      deepest = Math.max(deepest, level);
      if (level === 0) return false;
      // Pointers: key, address, generation.
      for (let index = 0; index < block.readUInt32LE(headerAt.nritems); index++)
        block.writeBigUInt64LE(block.readBigUInt64LE(headerAt.bytenr), 101 + index * 33 + 17);
      return true;
    });
    assert.ok(changed > 0 && deepest > 0);
    assert.throws(() => [...tellFiles(open([disk]).fs)], {
      name: 'CorruptError',
      message: /is not the one that is named above/,
    });
  });

  test('a directory that has itself as a child has one number, so that a walk sees it', () => {
    const disk = new OverlayDisk(new MemoryDisk(btrfsVolumes.read('mixed')));
    const whole = open([new MemoryDisk(btrfsVolumes.read('mixed'))], { subvolid: '5' }).fs;
    const outer = find(whole, '/deep/a');
    const inner = find(whole, '/deep/a/b');
    // Entries of names: the key of the inode, of which the first part is its number.
    const key = (inode: number): Buffer => {
      const made = Buffer.alloc(17);
      made.writeBigUInt64LE(BigInt(inode));
      made.writeUInt8(1, 8);
      return made;
    };
    let found = 0;
    editBlocks(disk, objects.topLevel, (block) => {
      if (block.readUInt8(headerAt.level) !== 0) return false;
      let any = false;
      for (let at = block.indexOf(key(inner), 101); at >= 0; at = block.indexOf(key(inner), at + 1)) {
        // Behind an entry's key stand the lengths of its data and its name, and the name.
        if (block.readUInt16LE(at + 17 + 10) !== 1 || block.readUInt8(at + 30) !== 0x62) continue;
        key(outer).copy(block, at);
        any = true;
        found++;
      }
      return any;
    });
    assert.ok(found >= 2, `${found}`);
    const { fs } = open([disk], { subvolid: '5' });
    assert.equal(find(fs, '/deep/a/b'), outer);
    assert.equal(find(fs, '/deep/a/b/b/b'), outer);
  });
});

describe('features', () => {
  /** The error of a filesystem that has these bits as well. */
  function refused(low: number): unknown {
    const disk = device('dup-1', 1);
    editSuperblock(disk, ({ incompat_flags_low: flags }) => ({ incompat_flags_low: (flags | low) >>> 0 }));
    try {
      open([disk]).fs.close();
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  }

  for (const [name, bit] of [
    ['zoned', 12],
    ['extent_tree_v2', 13],
    ['raid_stripe_tree', 14],
    ['incompatible feature bit 15', 15],
    ['remap_tree', 17],
    ['incompatible feature bit 18', 18],
  ] as const)
    test(`that is not read is refused by its name: ${name}`, () => {
      const error = refused(2 ** bit);
      assert.ok(error instanceof UnsupportedError, String(error));
      assert.ok(error.message.includes(name), error.message);
    });

  test('that a reader need not know are no hindrance: simple_quota', () => {
    assert.equal(refused(2 ** 16), undefined);
  });
});
