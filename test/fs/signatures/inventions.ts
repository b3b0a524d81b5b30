/** Kinds of other storage systems, of clusters and of old Unixes, as superblocks written by hand. */
import { crc32c } from '../../../src/base/index.js';
import { type Invented, MiB, uuidBytes, uuidText } from './invention.js';

function exfs(image: Buffer): void {
  image.write('EXFS');
  image.writeUInt32BE(4096, 4); // bytes of a block
  image.writeBigUInt64BE(4096n, 8); // blocks
  uuidBytes.copy(image, 32);
  image.writeUInt32BE(1, 80);
  image.writeUInt32BE(1024, 84); // blocks of a group
  image.writeUInt32BE(4, 88); // groups
  image.writeUInt16BE(512, 102);
  image.writeUInt16BE(256, 104);
  image.write('exfs label', 108);
  image.set([12, 9, 8, 4], 120);
}

export const storageKinds: readonly Invented[] = [
  {
    name: 'a member of LVM1',
    size: 2 * MiB,
    write(image) {
      image.write('HM');
      image.writeUInt16LE(1, 2);
      image.write('abcdefghijklmnopqrstuvwxyz012345', 44);
    },
    expected: { TYPE: 'LVM1_member', UUID: 'abcdef-ghij-klmn-opqr-stuv-wxyz-012345', USAGE: 'raid' },
  },
  {
    name: 'a snapshot of the device mapper',
    size: MiB,
    write: (image) => image.write('SnAp'),
    expected: { TYPE: 'DM_snapshot_cow', USAGE: 'other' },
  },
  {
    name: 'hashes of dm-verity',
    size: MiB,
    write(image) {
      image.write('verity\0\0');
      image.writeUInt32LE(1, 8);
      uuidBytes.copy(image, 16);
    },
    expected: { TYPE: 'DM_verity_hash', UUID: uuidText, VERSION: '1', USAGE: 'crypto' },
  },
  {
    name: 'dm-integrity',
    size: MiB,
    write(image) {
      image.write('integrt\0');
      image.writeUInt8(4, 8);
    },
    expected: { TYPE: 'DM_integrity', VERSION: '4', USAGE: 'crypto' },
  },
  {
    name: 'Stratis, by the second copy of its header',
    size: 2 * MiB,
    write(image) {
      const header = image.subarray(9 * 512, 10 * 512);
      header.write('!Stra0tis\x86\xff\x02^Arh', 4, 'latin1');
      header.writeBigUInt64LE(4096n, 20);
      header.write('0123456789abcdef0123456789abcdef', 32);
      header.write(uuidText.replaceAll('-', ''), 64);
      header.writeBigUInt64LE(1700000000n, 120);
      header.writeUInt32LE(~crc32c(0xffffffff, header.subarray(4)) >>> 0);
    },
    expected: {
      TYPE: 'stratis',
      UUID: uuidText,
      POOL_UUID: '01234567-89ab-cdef-0123-456789abcdef',
      BLOCKDEV_SECTORS: '4096',
      BLOCKDEV_INITTIME: '1700000000',
      USAGE: 'raid',
    },
  },
  {
    name: "DRBD Proxy's log",
    size: MiB,
    write(image) {
      image.write('DRBDdlh*');
      image.writeBigUInt64LE(3n, 8);
      uuidBytes.copy(image, 16);
    },
    expected: { TYPE: 'drbdproxy_datalog', UUID: uuidText, VERSION: 'v3' },
  },
  {
    name: 'EXFS',
    size: 2 * MiB,
    write: exfs,
    expected: { TYPE: 'exfs', LABEL: 'exfs label', UUID: uuidText, BLOCK_SIZE: '4096' },
  },
  {
    name: 'EXFS with more blocks than its groups have',
    size: 2 * MiB,
    write(image) {
      exfs(image);
      image.writeBigUInt64BE(4097n, 8);
    },
    expected: undefined,
  },
  {
    name: 'GFS',
    size: 32 * MiB,
    write(image) {
      image.writeUInt32BE(0x01161970, 0x10000);
      image.writeUInt32BE(1309, 0x10000 + 24);
      image.writeUInt32BE(1401, 0x10000 + 28);
      image.write('cluster:gfs', 0x10000 + 160);
      uuidBytes.copy(image, 0x10000 + 256);
    },
    expected: { TYPE: 'gfs', LABEL: 'cluster:gfs', UUID: uuidText },
  },
  {
    name: 'OCFS',
    size: 16 * MiB,
    write(image) {
      image.writeUInt32LE(2, 0);
      image.writeUInt32LE(1, 4);
      image.write('OracleCFS', 8);
      image.write('/ocfs', 136);
      image.writeUInt16LE(5, 264);
      image.write('ocfs label', 512 + 48);
      image.writeUInt16LE(10, 512 + 112);
      uuidBytes.copy(image, 512 + 114);
    },
    expected: {
      TYPE: 'ocfs',
      LABEL: 'ocfs label',
      UUID: uuidText,
      SEC_TYPE: 'ocfs1',
      MOUNT: '/ocfs',
      VERSION: '1.2',
    },
    unlike: true,
  },
  {
    name: "Oracle's ASM",
    size: MiB,
    write: (image) => image.write('ORCLDISKDATA01', 32),
    expected: { TYPE: 'oracleasm', LABEL: 'DATA01' },
  },
  {
    name: 'VxFS, big-endian',
    size: MiB,
    write(image) {
      image.writeUInt32BE(0xa501fcf5, 8192);
      image.writeUInt32BE(4, 8196);
      image.writeUInt32BE(2048, 8192 + 32);
    },
    expected: { TYPE: 'vxfs', VERSION: '4', BLOCK_SIZE: '2048' },
  },
  {
    name: 'System V, big-endian, behind nine blocks',
    size: MiB,
    write(image) {
      image.writeUInt32BE(0xfd187e20, 9 * 1024 + 512 + 504);
      image.write('sysv', 9 * 1024 + 512 + 440);
    },
    expected: { TYPE: 'sysv', LABEL: 'sysv' },
  },
  {
    name: 'XENIX',
    size: MiB,
    write(image) {
      image.writeUInt32LE(0x002b5544, 1024 + 0x3f8);
      image.write('xenix', 1024 + 632);
    },
    expected: { TYPE: 'xenix', LABEL: 'xenix' },
    unlike: true,
  },
  {
    name: 'a second copy of HPFS’s superblock without its first',
    size: MiB,
    write: (image) => image.writeUInt32BE(0x491891f9, 0x2200),
    expected: undefined,
  },
];
