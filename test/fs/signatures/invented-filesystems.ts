/** Filesystems and containers that no tool here makes, as superblocks written by hand. */
import { createHash } from 'node:crypto';
import { crc32Raw } from '../../../src/base/index.js';
import { type Invented, MiB, uuidBytes, uuidText } from './invention.js';

function reiser(mark: string, at = 0x10000): (image: Buffer) => void {
  return (image) => {
    image.writeUInt32LE(18, at + 12); // the journal's block
    image.writeUInt16LE(4096, at + 44);
    image.write(mark, at + 52);
    uuidBytes.copy(image, at + 84);
    image.write('reiser label', at + 100);
  };
}

function jfs(image: Buffer, blockSize = 4096): void {
  image.write('JFS1', 0x8000);
  image.writeUInt32LE(blockSize, 0x8000 + 16);
  image.writeUInt16LE(12, 0x8000 + 20);
  image.writeUInt16LE(3, 0x8000 + 22);
  image.writeUInt32LE(512, 0x8000 + 24);
  image.writeUInt16LE(9, 0x8000 + 28);
  uuidBytes.copy(image, 0x8000 + 136);
  image.write('jfs label', 0x8000 + 152);
}

function nilfs(image: Buffer, at = 1024): void {
  image.writeUInt32LE(2, at);
  image.writeUInt16LE(0x3434, at + 6);
  image.writeUInt16LE(280, at + 8);
  image.writeUInt32LE(0x12345678, at + 12);
  image.writeUInt32LE(2, at + 20);
  image.writeBigUInt64LE(2048n, at + 24);
  image.writeBigUInt64LE(BigInt(image.length), at + 32);
  uuidBytes.copy(image, at + 152);
  image.write('nilfs label', at + 168);
  image.writeUInt32LE(0, at + 16);
  image.writeUInt32LE(crc32Raw(0x12345678, image.subarray(at, at + 280)), at + 16);
}

function erofs(image: Buffer): void {
  image.writeUInt32LE(0xe0f5e1e2, 1024);
  image.writeUInt8(12, 1024 + 12);
  uuidBytes.copy(image, 1024 + 48);
  image.write('erofs label', 1024 + 64);
}

/** The UUID that is made from a volume's 64-bit identifier. */
function appleUuid(identifier: Buffer): string {
  const namespace = Buffer.from('b3e20f39f29211d697a400306543ecac', 'hex');
  const hex = createHash('md5').update(namespace).update(identifier).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-3${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`;
}

const identifier = Buffer.from('0123456789abcdef', 'hex');

function hfs(image: Buffer): void {
  image.write('BD', 1024);
  image.writeUInt32BE(4096, 1024 + 20);
  image.writeUInt8(9, 1024 + 36);
  image.write('HFS label', 1024 + 37);
  identifier.copy(image, 1024 + 116);
}

function hfsPlus(image: Buffer, start = 0): void {
  const header = start + 1024;
  image.write('H+', header);
  image.writeUInt16BE(4, header + 2);
  image.writeUInt32BE(4096, header + 40);
  identifier.copy(image, header + 104);
  // The catalog file: its first extent is 8 blocks from block 10 on.
  image.writeBigUInt64BE(32_768n, header + 272);
  image.writeUInt32BE(8, header + 284);
  image.writeUInt32BE(10, header + 288);
  image.writeUInt32BE(8, header + 292);
  const tree = start + 10 * 4096;
  image.writeInt8(1, tree + 8);
  image.writeUInt32BE(1, tree + 20); // how many records there are in leaves
  image.writeUInt32BE(1, tree + 24); // the first leaf
  image.writeUInt16BE(4096, tree + 32); // the size of a node
  const leaf = tree + 4096;
  image.writeInt8(-1, leaf + 8);
  image.writeUInt8(1, leaf + 9);
  image.writeUInt16BE(1, leaf + 10);
  const name = Buffer.from('HFS+ läbel', 'utf16le').swap16();
  image.writeUInt16BE(6 + name.length, leaf + 14);
  image.writeUInt32BE(1, leaf + 16);
  image.writeUInt16BE(name.length / 2, leaf + 20);
  name.copy(image, leaf + 22);
}

function ufs(at: number, version: 1 | 2, little: boolean): (image: Buffer) => void {
  return (image) => {
    const write = (value: number, offset: number) =>
      little ? image.writeUInt32LE(value, at + offset) : image.writeUInt32BE(value, at + offset);
    write(version === 1 ? 0x00011954 : 0x19540119, 1372);
    write(0x01020304, 144);
    write(0xa0b0c0d0, 148);
    write(2048, 52);
    image.write('ufs label', at + 680);
  };
}

/** One name and value in XDR. */
function pair(name: string, value: bigint | string): Buffer {
  const padded = (text: string) =>
    Buffer.concat([Buffer.from(text), Buffer.alloc((4 - (text.length % 4)) % 4)]);
  const word = (...numbers: number[]) =>
    Buffer.concat(numbers.map((n) => Buffer.of(n >>> 24, n >>> 16, n >>> 8, n)));
  const number = Buffer.alloc(8);
  if (typeof value === 'bigint') number.writeBigUInt64BE(value);
  const data =
    typeof value === 'bigint'
      ? Buffer.concat([word(8, 1), number])
      : Buffer.concat([word(9, 1, value.length), padded(value)]);
  const size = 12 + padded(name).length + data.length;
  return Buffer.concat([word(size, size, name.length), padded(name), data]);
}

function zfs(image: Buffer): void {
  for (const label of [0, 0x40000, image.length - 0x80000, image.length - 0x40000]) {
    image.writeUInt8(1, label + 0x4000);
    image.writeUInt8(1, label + 0x4001);
    image.writeUInt32BE(0, label + 0x4004);
    image.writeUInt32BE(1, label + 0x4008);
    Buffer.concat([
      pair('version', 5000n),
      pair('name', 'zfs pool'),
      pair('pool_guid', 12345678901234567890n),
      pair('guid', 987654321n),
    ]).copy(image, label + 0x400c);
    for (let i = 0; i < 8; i++) {
      image.writeBigUInt64LE(0x00bab10cn, label + 0x20000 + i * 1024);
      image.writeBigUInt64LE(5000n, label + 0x20000 + i * 1024 + 8);
    }
  }
}

const bitLockerGuid = Buffer.from('3bd667492e29d84a8399f6a339e3d001', 'hex');

/** An mdadm superblock of version 0.90, as a machine of either byte order writes it. */
function md0(little: boolean): (image: Buffer) => void {
  return (image) => {
    const at = Math.floor(image.length / 65_536) * 65_536 - 65_536;
    const words = [
      0xa92b4efc, 0, 90, 3, 0, 0x00112233, 0, 1, 0, 1, 1, 0, 0, 0x44556677, 0x8899aabb, 0xccddeeff,
    ];
    words.forEach((word, i) => {
      if (little) image.writeUInt32LE(word, at + i * 4);
      else image.writeUInt32BE(word, at + i * 4);
    });
  };
}

export const fileSystemKinds: readonly Invented[] = [
  {
    name: 'ReiserFS 3.6',
    size: MiB,
    write: reiser('ReIsEr2Fs'),
    expected: { TYPE: 'reiserfs', LABEL: 'reiser label', UUID: uuidText, VERSION: '3.6', BLOCK_SIZE: '4096' },
  },
  {
    name: 'ReiserFS 3.5',
    size: MiB,
    write: reiser('ReIsErFs'),
    expected: { TYPE: 'reiserfs', VERSION: '3.5', BLOCK_SIZE: '4096' },
  },
  {
    name: 'ReiserFS with its journal elsewhere',
    size: MiB,
    write: reiser('ReIsEr3Fs'),
    expected: { TYPE: 'reiserfs', LABEL: 'reiser label', UUID: uuidText, VERSION: 'JR', BLOCK_SIZE: '4096' },
  },
  {
    name: 'ReiserFS at its old place',
    size: MiB,
    write: reiser('ReIsErFs', 0x2000),
    expected: { TYPE: 'reiserfs', VERSION: '3.5', BLOCK_SIZE: '4096' },
  },
  {
    name: 'JFS',
    size: 16 * MiB,
    write: jfs,
    expected: { TYPE: 'jfs', LABEL: 'jfs label', UUID: uuidText, BLOCK_SIZE: '4096' },
  },
  { name: 'JFS on a disk too small for it', size: 15 * MiB, write: jfs, expected: undefined },
  {
    name: 'JFS whose sizes disagree',
    size: 16 * MiB,
    write: (image) => jfs(image, 2048),
    expected: undefined,
  },
  {
    name: 'NILFS2',
    size: MiB,
    write: nilfs,
    expected: { TYPE: 'nilfs2', LABEL: 'nilfs label', UUID: uuidText, VERSION: '2', BLOCK_SIZE: '4096' },
  },
  {
    name: 'NILFS2 with a wrong checksum',
    size: MiB,
    write: (image) => {
      nilfs(image);
      image.writeUInt8(1, 1024 + 60);
    },
    expected: undefined,
  },
  {
    name: 'EROFS',
    size: MiB,
    write: erofs,
    expected: { TYPE: 'erofs', LABEL: 'erofs label', UUID: uuidText, BLOCK_SIZE: '4096' },
  },
  {
    name: 'romfs',
    size: MiB,
    write: (image) => image.write('-rom1fs-\0\0\0\0\0\0\0\0rom label'),
    expected: { TYPE: 'romfs', LABEL: 'rom label', BLOCK_SIZE: '1024' },
  },
  {
    name: 'HFS',
    size: MiB,
    write: hfs,
    expected: { TYPE: 'hfs', LABEL: 'HFS label', UUID: appleUuid(identifier) },
  },
  {
    name: 'HFS+',
    size: MiB,
    write: hfsPlus,
    expected: { TYPE: 'hfsplus', LABEL: 'HFS+ läbel', UUID: appleUuid(identifier), BLOCK_SIZE: '4096' },
  },
  {
    name: 'HFS+ in HFS',
    size: MiB,
    write(image) {
      hfs(image);
      image.write('H+', 1024 + 124);
      image.writeUInt16BE(8, 1024 + 28); // where allocation blocks begin, in sectors
      image.writeUInt16BE(4, 1024 + 126); // the first allocation block of HFS+
      image.writeUInt16BE(100, 1024 + 128);
      hfsPlus(image, 8 * 512 + 4 * 4096);
    },
    expected: { TYPE: 'hfsplus', LABEL: 'HFS+ läbel', UUID: appleUuid(identifier), BLOCK_SIZE: '4096' },
  },
  {
    name: 'APFS',
    size: MiB,
    write(image) {
      image.writeBigUInt64LE(1n, 8); // the object's number
      image.writeUInt16LE(1, 24);
      image.writeUInt16LE(0x8000, 26);
      image.write('NXSB', 32);
      image.writeUInt32LE(4096, 36);
      uuidBytes.copy(image, 72);
    },
    expected: { TYPE: 'apfs', UUID: uuidText, BLOCK_SIZE: '4096' },
  },
  {
    name: 'UFS1, little-endian',
    size: MiB,
    write: ufs(0x2000, 1, true),
    expected: { TYPE: 'ufs', UUID: '01020304a0b0c0d0', VERSION: '1', BLOCK_SIZE: '2048' },
  },
  {
    name: 'UFS2, big-endian',
    size: MiB,
    write: ufs(0x10000, 2, false),
    expected: { TYPE: 'ufs', LABEL: 'ufs label', UUID: '01020304a0b0c0d0', VERSION: '2', BLOCK_SIZE: '2048' },
  },
  {
    name: 'ZFS',
    size: 64 * MiB,
    write: zfs,
    expected: {
      TYPE: 'zfs_member',
      LABEL: 'zfs pool',
      UUID: '12345678901234567890',
      UUID_SUB: '987654321',
      VERSION: '5000',
    },
  },
  {
    name: 'BitLocker since Windows 7',
    size: MiB,
    write(image) {
      image.write('\xeb\x58\x90-FVE-FS-', 0, 'latin1');
      bitLockerGuid.copy(image, 160);
      image.writeBigUInt64LE(0x10000n, 176);
      image.write('-FVE-FS-', 0x10000);
      image.writeUInt16LE(64, 0x10000 + 8);
      image.writeUInt16LE(2, 0x10000 + 10);
    },
    expected: { TYPE: 'BitLocker', VERSION: '2', USAGE: 'crypto' },
  },
  {
    name: 'BitLocker of Windows Vista',
    size: MiB,
    write: (image) => image.write('\xeb\x52\x90-FVE-FS-', 0, 'latin1'),
    expected: { TYPE: 'BitLocker', USAGE: 'crypto' },
  },
  {
    name: 'BitLocker whose metadata is not there',
    size: MiB,
    write(image) {
      image.write('\xeb\x58\x90-FVE-FS-', 0, 'latin1');
      bitLockerGuid.copy(image, 160);
      image.writeBigUInt64LE(0xffffffffffffn, 176);
    },
    expected: undefined,
  },
  {
    name: 'BitLocker To Go',
    size: MiB,
    write(image) {
      image.write('\xeb\x58\x90MSWIN4.1', 0, 'latin1');
      bitLockerGuid.copy(image, 424);
      image.writeBigUInt64LE(0x10000n, 440);
      image.write('-FVE-FS-', 0x10000);
      image.writeUInt16LE(64, 0x10000 + 8);
      image.writeUInt16LE(2, 0x10000 + 10);
    },
    expected: { TYPE: 'BitLocker', VERSION: '2', USAGE: 'crypto' },
  },
  {
    name: 'ReFS',
    size: MiB,
    write: (image) => image.write('\0\0\0ReFS\0'),
    expected: { TYPE: 'ReFS' },
  },
  {
    name: 'an array on a floppy',
    size: 1440 * 1024,
    write: md0(true),
    expected: undefined,
  },
  {
    name: 'an array of version 0.90, little-endian',
    size: 2 * MiB,
    write: md0(true),
    expected: { TYPE: 'linux_raid_member', UUID: uuidText, VERSION: '0.90.3', USAGE: 'raid' },
  },
  {
    name: 'an array of version 0.90, big-endian',
    size: 2 * MiB,
    write: md0(false),
    expected: { TYPE: 'linux_raid_member', UUID: uuidText, VERSION: '0.90.3', USAGE: 'raid' },
  },
  {
    name: 'bcache',
    size: MiB,
    write(image) {
      image.writeBigUInt64LE(8n, 4096 + 8);
      Buffer.from('c68573f64e1a45ca8265f57f48ba6d81', 'hex').copy(image, 4096 + 24);
      uuidBytes.copy(image, 4096 + 40);
      image.write('bcache label', 4096 + 72);
    },
    expected: { TYPE: 'bcache', UUID: uuidText, USAGE: 'other' },
  },
  {
    name: 'bcachefs',
    size: MiB,
    write(image) {
      image.writeBigUInt64LE(8n, 4096 + 104);
      Buffer.from('c68573f666ce90a9d96a60cf803df7ef', 'hex').copy(image, 4096 + 24);
      uuidBytes.copy(image, 4096 + 56);
      image.write('bcachefs label', 4096 + 72);
    },
    expected: { TYPE: 'bcachefs', LABEL: 'bcachefs label', UUID: uuidText },
    unlike: true,
  },
  {
    name: 'squashfs of version 3, big-endian',
    size: MiB,
    write(image) {
      image.write('sqsh');
      image.writeUInt16BE(3, 28);
      image.writeUInt16BE(1, 30);
    },
    expected: { TYPE: 'squashfs3', VERSION: '3.1', BLOCK_SIZE: '1024' },
  },
  {
    name: 'VMFS',
    size: 4 * MiB,
    write(image) {
      image.writeUInt32LE(0x2fabf15e, 0x200000);
      image.writeUInt8(5, 0x200008);
      uuidBytes.copy(image, 0x200009);
      image.write('vmfs label', 0x20001d);
    },
    expected: {
      TYPE: 'VMFS',
      LABEL: 'vmfs label',
      UUID: '33221100-77665544-9988-aabbccddeeff',
      VERSION: '5',
    },
  },
  {
    name: 'a member of a VMFS volume',
    size: 4 * MiB,
    write(image) {
      image.writeUInt32LE(0xc001d00d, 0x100000);
      uuidBytes.copy(image, 0x100000 + 130);
    },
    expected: {
      TYPE: 'VMFS_volume_member',
      UUID_SUB: '33221100-77665544-9988-aabbccddeeff',
      VERSION: '0',
      USAGE: 'raid',
    },
  },
];
