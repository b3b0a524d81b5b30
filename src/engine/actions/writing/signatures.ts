/**
 * Erases the signatures by which libblkid recognises what is on a disk, as wipefs does. Each round erases one: what is
 * found first is erased, and looked for again. The places are those of libblkid's drivers (util-linux 2.38), in the
 * order in which they are tried.
 */
import { decodeLatin1, UnsupportedError, work } from '../../../base/index.js';
import { type Disk, SliceDisk } from '../../../disk/index.js';
import { partitionSchemes } from '../../../partition/index.js';
import type { BlockDevice } from '../../../vfs/index.js';
import { discardableLayer } from '../../session/drive.js';
import { recognise } from '../../session/recognition.js';
import type { Call } from '../../thread/call.js';
import { changeDevice, writableDevice } from './changed-device.js';

/** A signature that may be on a disk: its offset in bytes, and its bytes. */
interface Mark {
  readonly offset: number;
  readonly bytes: string;
  /** How many bytes are erased, where that is not the length of what is compared. */
  readonly length?: number;
}

const KiB = 1024;
const at = (offset: number, ...marks: readonly string[]): Mark[] => marks.map((bytes) => ({ offset, bytes }));
const everywhere = (offsets: readonly number[], ...marks: readonly string[]): Mark[] =>
  offsets.flatMap((offset) => at(offset, ...marks));

const swapPages = [4, 8, 16, 32, 64].map((size) => size * KiB);
const beforeEnd = (marks: readonly string[]): Mark[] =>
  swapPages.flatMap((end) => marks.flatMap((bytes) => at(end - 10, bytes)));
/** The recognition sequence of ISO 9660 and UDF is of structures of 2 KiB. */
const discStructures = Array.from({ length: 64 }, (_, index) => 32 * KiB + index * 2 * KiB + 1);
const promisePlaces = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087];
const zfsLabel = 256 * KiB;
const md = ['\xfc\x4e\x2b\xa9', '\xa9\x2b\x4e\xfc'];

/** Where each kind has its signature, by the name of the kind; `size`: of the disk, in bytes. */
function marksOf(name: string, size: number): Mark[] {
  const end = (sectors: number): number => (Math.floor(size / 512) - sectors) * 512;
  const zfsEnd = Math.floor(size / zfsLabel) * zfsLabel;
  switch (name) {
    case 'linux_raid_member':
      return [
        ...at(Math.floor(size / (64 * KiB)) * 64 * KiB - 64 * KiB, ...md),
        ...at(Math.floor(size / 4096) * 4096 - 8192, ...md),
        ...everywhere([0, 4096], ...md),
      ];
    case 'LVM2_member':
      return everywhere([0x218, 0x18, 0x418, 0x618], 'LVM2 001');
    case 'LVM1_member':
      return at(0, 'HM');
    case 'DM_snapshot_cow':
      return at(0, 'SnAp');
    case 'DM_verity_hash':
      return at(0, 'verity\0\0');
    case 'DM_integrity':
      return at(0, 'integrt\0');
    case 'crypto_LUKS':
      return [
        ...at(0, 'LUKS\xba\xbe'),
        ...everywhere(
          Array.from({ length: 9 }, (_, index) => 0x4000 * 2 ** index),
          'SKUL\xba\xbe',
        ),
      ];
    case 'BitLocker':
      return at(0, '\xeb\x52\x90-FVE-FS-', '\xeb\x58\x90-FVE-FS-', '\xeb\x58\x90MSWIN4.1');
    case 'bcache':
      return at(4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81');
    case 'vdo':
      return at(0, 'dmvdo001');
    case 'VMFS_volume_member':
      return at(1024 * KiB, '\x0d\xd0\x01\xc0');
    case 'VMFS':
      return at(2048 * KiB, '\x5e\xf1\xab\x2f');
    case 'ddf_raid_member':
      return everywhere([end(1), end(257)], '\x11\xde\x11\xde', '\xde\x11\xde\x11');
    case 'isw_raid_member':
      return [{ offset: end(2), bytes: 'Intel Raid ISM Cfg Sig. ', length: 32 }];
    case 'lsi_mega_raid_member':
      return at(end(1), '$XIDE$');
    case 'via_raid_member':
      return at(end(1), '\x55\xaa');
    case 'silicon_medley_raid_member':
      return at(end(1) + 0x60, '\0\0\0\x2f');
    case 'nvidia_raid_member':
      return [{ offset: end(2), bytes: 'NVIDIA', length: 8 }];
    case 'promise_fasttrack_raid_member':
      return everywhere(promisePlaces.map(end), 'Promise Technology, Inc.');
    case 'hpt45x_raid_member':
      return at(end(11), '\xf3\x16\x78\x5a', '\xfd\x16\x78\x5a');
    case 'hpt37x_raid_member':
      return at(9 * 512 + 32, '\xf0\x16\x78\x5a', '\xfd\x16\x78\x5a');
    case 'adaptec_raid_member':
      return at(end(1), '\x37\xfc\x4d\x1e');
    case 'jmicron_raid_member':
      return at(end(1), 'JM');
    case 'ceph_bluestore':
      return at(0, 'bluestore block device');
    case 'drbd':
      return at(size - 4096 + 60, '\x83\x74\x02\x6b', '\x83\x74\x02\x6c', '\x83\x74\x02\x6d');
    case 'drbdmanage_control_volume':
      return at(0, '$DRBDmgr=q');
    case 'drbdproxy_datalog':
      return at(0, 'DRBDdlh*');
    case 'stratis':
      return everywhere([512 + 4, 9 * 512 + 4], '!Stra0tis\x86\xff\x02^Arh');
    case 'mpool':
      return at(0, 'mpoolDev');
    case 'ubi':
      return at(0, 'UBI#');
    case 'xfs_external_log':
      return at(0, '\xfe\xed\xba\xbe');
    case 'zfs_member':
      return everywhere(
        [0, zfsLabel, zfsEnd - 2 * zfsLabel, zfsEnd - zfsLabel].flatMap((label) =>
          Array.from({ length: 128 }, (_, index) => label + zfsLabel - (index + 1) * KiB),
        ),
        '\x0c\xb1\xba\0\0\0\0\0',
        '\0\0\0\0\0\xba\xb1\x0c',
      );
    case 'vxfs':
      return [...at(KiB, '\xf5\xfc\x01\xa5'), ...at(8 * KiB, '\xa5\x01\xfc\xf5')];
    case 'sysv':
      return everywhere(
        [0, 9, 15, 18].map((block) => block * KiB + 512 + 504),
        '\x20\x7e\x18\xfd',
        '\xfd\x18\x7e\x20',
      );
    case 'xenix':
      return at(KiB + 0x3f8, '\x44\x55\x2b\0', '\0\x2b\x55\x44');
    case 'fat':
      return [
        ...at(0x52, 'MSWIN', 'FAT32   '),
        ...at(0x36, 'MSDOS', 'FAT16   ', 'FAT12   ', 'FAT     '),
        ...at(0, '\xeb', '\xe9'),
        ...at(0x1fe, '\x55\xaa'),
      ];
    case 'swsuspend':
      return [
        ...at(0, '\xed\xc3\x02\xe9\x98\x56\xe5\x0c'),
        ...beforeEnd(['S1SUSPEND', 'S2SUSPEND', 'ULSUSPEND', 'LINHIB0001']),
      ];
    case 'swap':
      return beforeEnd(['SWAP-SPACE', 'SWAPSPACE2']);
    case 'xfs':
      return at(0, 'XFSB');
    case 'exfs':
      return at(0, 'EXFS');
    case 'exfat':
      return at(3, 'EXFAT   ');
    case 'ntfs':
      return at(3, 'NTFS    ');
    case 'ReFS':
      return at(0, '\0\0\0ReFS\0');
    case 'hpfs':
      return at(8 * KiB, '\x49\xe8\x95\xf9');
    case 'ext':
      return at(0x438, '\x53\xef');
    case 'reiserfs':
      return [
        ...everywhere([8 * KiB + 0x34, 64 * KiB + 0x34], 'ReIsErFs', 'ReIsEr2Fs', 'ReIsEr3Fs'),
        ...at(8 * KiB + 0x14, 'ReIsErFs'),
      ];
    case 'reiser4':
      return at(64 * KiB, 'ReIsEr4');
    case 'jfs':
      return at(32 * KiB, 'JFS1');
    case 'udf':
      return everywhere(discStructures, 'BEA01', 'BOOT2', 'CD001', 'CDW02', 'NSR02', 'NSR03', 'TEA01');
    case 'iso9660':
      return [...at(32 * KiB + 1, 'CD001'), ...at(32 * KiB + 9, 'CDROM')];
    case 'hfs':
    case 'hfsplus':
      return at(KiB, 'BD', 'H+', 'HX');
    case 'ufs':
      return everywhere(
        [0, 8 * KiB, 64 * KiB, 256 * KiB].map((offset) => offset + 1372),
        ...[
          '\x19\x54\x01\x19',
          '\x00\x01\x19\x54',
          '\x00\x09\x50\x14',
          '\x00\x61\x21\x95',
          '\x05\x23\x19\x94',
        ],
        ...[
          '\x19\x01\x54\x19',
          '\x54\x19\x01\x00',
          '\x14\x50\x09\x00',
          '\x95\x21\x61\x00',
          '\x94\x19\x23\x05',
        ],
      );
    case 'minix':
      return [
        ...at(
          KiB + 16,
          '\x7f\x13',
          '\x8f\x13',
          '\x13\x7f',
          '\x13\x8f',
          '\x68\x24',
          '\x78\x24',
          '\x24\x68',
          '\x24\x78',
        ),
        ...at(KiB + 24, '\x5a\x4d', '\x4d\x5a'),
      ];
    case 'cramfs':
      return at(0, '\x45\x3d\xcd\x28', '\x28\xcd\x3d\x45');
    case 'romfs':
      return at(0, '-rom1fs-');
    case 'squashfs':
    case 'squashfs3':
      return at(0, 'sqsh', 'hsqs');
    case 'gfs':
    case 'gfs2':
      return at(64 * KiB, '\x01\x16\x19\x70');
    case 'ocfs':
      return at(8, 'OracleCFS');
    case 'ocfs2':
      return everywhere([KiB, 2 * KiB, 4 * KiB, 8 * KiB], 'OCFSV2');
    case 'oracleasm':
      return at(32, 'ORCLDISK');
    case 'nss':
      return at(4 * KiB, 'SPB5');
    case 'btrfs':
      return at(64 * KiB + 0x40, '_BHRfS_M');
    case 'bcachefs':
      return at(4096 + 24, '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef');
    case 'ubifs':
      return at(0, '\x31\x18\x10\x06');
    case 'bfs':
      return at(0, '\xce\xfa\xad\x1b');
    case 'befs':
      return everywhere([0x20, 0x220], 'BFS1', '1SFB');
    case 'nilfs2':
      return [...at(KiB + 6, '\x34\x34'), ...at(end(8) + 6, '\x34\x34')];
    case 'f2fs':
      return at(KiB, '\x10\x20\xf5\xf2');
    case 'erofs':
      return at(KiB, '\xe2\xe1\xf5\xe0');
    case 'apfs':
      return at(32, 'NXSB');
    case 'zonefs':
      return at(0, 'SFOZ');
    default:
      return [];
  }
}

const bootMark = at(0x1fe, '\x55\xaa');

/** The headers of a GPT, also where nothing protects it, and the mark of the MBR that does. */
function gptMarks(disk: Disk, sectorSize: number): Mark[] {
  return [
    ...at(sectorSize, 'EFI PART'),
    ...at((Math.floor(disk.size / sectorSize) - 1) * sectorSize, 'EFI PART'),
    ...(isProtective(disk) ? bootMark : []),
  ];
}

/** Whether one of the four entries of an MBR is of the type that protects a GPT. */
function isProtective(disk: Disk): boolean {
  const types = [0, 1, 2, 3].map((entry) => ({ offset: 0x1be + entry * 16 + 4, bytes: '\xee' }));
  return findMark(disk, types) !== undefined;
}

/** The same for partition tables, by the name of the scheme; undefined: libblkid erases nothing of it. */
function tableMarksOf(scheme: string, disk: Disk, sectorSize: number): Mark[] | undefined {
  switch (scheme) {
    case 'gpt':
      return gptMarks(disk, sectorSize);
    case 'msdos':
    case 'pc98':
      return bootMark;
    case 'aix':
      return at(0, '\xc9\xc2\xd4\xc1');
    case 'mac':
      return [...at(0, 'ER'), ...everywhere([512, KiB, 2 * KiB, 4 * KiB], 'PM')];
    case 'sun':
      return at(508, '\xda\xbe');
    case 'dvh':
      return at(0, '\x0b\xe5\xa9\x41');
    case 'amiga':
    case 'bsd':
      return undefined;
    default:
      return [];
  }
}

/** The first of the marks that is on the disk. */
function findMark(disk: Disk, marks: readonly Mark[]): Mark | undefined {
  return marks.find(({ offset, bytes }) => {
    if (offset < 0 || offset + bytes.length > disk.size) return false;
    const found = new Uint8Array(bytes.length);
    disk.read(found, offset);
    return decodeLatin1(found) === bytes;
  });
}

/** More than there can be: four labels of ZFS have 128 uberblocks each. */
const mostMarks = 1024;

/** Erases a mark. */
export function blankMark(disk: Disk, { offset, bytes, length = bytes.length }: Mark): void {
  disk.write(new Uint8Array(length), offset);
}

/** What is seen on a disk, and where its signatures may be. */
interface Seen {
  readonly name: string;
  readonly marks: readonly Mark[];
}

/** What a disk is, for those who look at it. */
interface Wiped {
  readonly name: string;
  readonly disk: Disk;
  readonly whole: boolean;
  readonly sectorSize: number;
}

/** What is seen first on a disk. */
function look(disk: Disk, { whole, sectorSize }: Wiped, tables: boolean): Seen | undefined {
  const [sighting] = recognise(disk, { whole }).seen;
  if (sighting !== undefined)
    return { name: sighting.probed.type, marks: marksOf(sighting.kind.name, disk.size) };
  if (!tables) return undefined;
  const scheme = partitionSchemes.find((each) => each.probe(disk, sectorSize));
  const marks = scheme && tableMarksOf(scheme.name, disk, sectorSize);
  if (scheme !== undefined && marks !== undefined) return { name: scheme.name, marks };
  // What is left of a GPT after one of its headers is gone, and one that nothing protects.
  const left = gptMarks(disk, sectorSize);
  return findMark(disk, left) && { name: 'gpt', marks: left };
}

/**
 * The signatures of a disk, in the order in which they are erased. UnsupportedError for something whose signature's
 * place is not known here. Nothing is written.
 */
export function findSignatures(wiped: Wiped, tables: boolean, tmpdir: string): Mark[] {
  const found: Mark[] = [];
  const { disk, name } = wiped;
  const layer = discardableLayer(new SliceDisk(disk, 0, disk.size), tmpdir);
  try {
    for (;;) {
      work.entries.spend(1);
      const seen = look(layer, wiped, tables);
      if (seen === undefined) return found;
      const mark = findMark(layer, seen.marks);
      if (mark === undefined || found.length === mostMarks)
        throw new UnsupportedError(name, [`erasing the signature of ${seen.name}`], {
          elsewhere: 'appliance',
        });
      blankMark(layer, mark);
      found.push(mark);
    }
  } finally {
    layer.close();
  }
}

/** Erases the signatures on a device: those of filesystems, members and locks, and with `tables` partition tables too. */
export function eraseSignatures(
  call: Call,
  found: BlockDevice,
  { tables }: { readonly tables: boolean },
): void {
  const { name, disk, sectorSize, kind } = found;
  const wiped = { name, disk, sectorSize, whole: kind !== 'partition' };
  const marks = findSignatures(wiped, tables, call.session.config.tmpdir);
  if (marks.length === 0) return;
  const device = writableDevice(call, found.name);
  changeDevice(call, device, (disk) => {
    for (const mark of marks) blankMark(disk, mark);
  });
}

/** Whether something is recognised on a device: a filesystem, a member, a lock, or a partition table. */
export function hasSignatures({ disk, name, sectorSize, kind }: BlockDevice): boolean {
  return look(disk, { name, disk, sectorSize, whole: kind !== 'partition' }, true) !== undefined;
}
