/** Filesystems and disks in the words of the program file: the beginning of a device, or of a file with an image. */
import { formatUuid } from '../../../base/index.js';
import type { Subject } from './source.js';

/** The features of ext that are mentioned: offset in the superblock, bit, words. */
const extWords: readonly (readonly [offset: number, bit: number, words: string])[] = [
  [0x60, 0x0004, ' (needs journal recovery)'],
  [0x60, 0x0040, ' (extents)'],
  [0x60, 0x0080, ' (64bit)'],
  [0x64, 0x0002, ' (large files)'],
  [0x64, 0x0008, ' (huge files)'],
];

const superblock = 1024;

function describeExt(subject: Subject): string | undefined {
  if (subject.u16(superblock + 0x38, true) !== 0xef53) return undefined;
  const u32 = (offset: number): number => subject.u32(superblock + offset, true);
  const [compat, incompat, roCompat] = [u32(0x5c), u32(0x60), u32(0x64)];
  // file's own rule: any feature that ext3 lacks makes it ext4.
  const isExt4 = (incompat & ~0x1f) !== 0 || (roCompat & ~0x7) !== 0;
  const name = isExt4 ? 'ext4' : compat & 4 ? 'ext3' : 'ext2';
  const uuid = formatUuid(subject.head.subarray(superblock + 0x68, superblock + 0x78));
  const volume = subject.text(superblock + 0x78, 16);
  const state = subject.u16(superblock + 0x3a, true);
  const notes =
    (state & 1 ? '' : ' (mounted or unclean)') +
    (state & 2 ? ' (errors)' : '') +
    extWords.map(([offset, bit, words]) => (u32(offset) & bit ? words : '')).join('');
  const revision = `${u32(0x4c)}.${subject.u16(superblock + 0x3e, true)}`;
  return `Linux rev ${revision} ${name} filesystem data, UUID=${uuid}${
    volume === '' ? '' : `, volume name "${volume}"`
  }${notes}`;
}

const pageSizes = [4096, 8192, 16384, 65536];

function describeSwap(subject: Subject): string | undefined {
  for (const size of pageSizes) {
    if (!subject.has(size - 10, 'SWAPSPACE2')) continue;
    const little = subject.u32(1024, true) === 1;
    const label = subject.text(1052, 16);
    return `Linux swap file, ${size / 1024}k page size, ${little ? 'little' : 'big'} endian, version 1, size ${subject.u32(1028, little)} pages, ${subject.u32(1032, little)} bad pages, ${
      label === '' ? 'no label' : `LABEL=${label}`
    }, UUID=${formatUuid(subject.head.subarray(1036, 1052))}`;
  }
  return undefined;
}

function describeIso(subject: Subject): string | undefined {
  if (!subject.has(0x8001, 'CD001')) return undefined;
  const label = subject.text(0x8028, 32).trimEnd();
  const bootable = subject.has(0x8801, 'CD001\x01EL TORITO SPECIFICATION') ? ' (bootable)' : '';
  const boot = subject.has(510, [0x55, 0xaa]) ? ' (DOS/MBR boot sector)' : '';
  return `ISO 9660 CD-ROM filesystem data${boot}${label === '' ? '' : ` '${label}'`}${bootable}`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A FAT boot sector's fields. Microsoft, "FAT32 File System Specification". */
function describeFat(subject: Subject): string | undefined {
  const sectorSize = subject.u16(11, true);
  if (![512, 1024, 2048, 4096].includes(sectorSize) || subject.u8(16) === 0 || subject.u8(16) > 2)
    return undefined;
  const perFat = subject.u16(22, true);
  const isFat32 = perFat === 0 && subject.has(82, 'FAT32');
  if (!isFat32 && !/^FAT1[26] {3}/.test(subject.text(54, 8))) return undefined;
  const u16 = (offset: number): number => subject.u16(offset, true);
  const small = u16(19);
  const large = subject.u32(32, true);
  const extended = isFat32 ? 64 : 36;
  const label = subject.text(extended + 7, 11).trimEnd();
  const parts = [
    `code offset ${hex(subject.u8(1))}+2`,
    `OEM-ID "${subject.text(3, 8)}"`,
    ...(sectorSize === 512 ? [] : [`Bytes/sector ${sectorSize}`]),
    ...(subject.u8(13) > 1 ? [`sectors/cluster ${subject.u8(13)}`] : []),
    ...(u16(14) !== (isFat32 ? 32 : 1) ? [`reserved sectors ${u16(14)}`] : []),
    ...(subject.u8(16) === 2 ? [] : [`FATs ${subject.u8(16)}`]),
    ...(u16(17) > 0 ? [`root entries ${u16(17)}`] : []),
    ...(small > 0 ? [`sectors ${small} (volumes <=32 MB)`] : []),
    `Media descriptor ${hex(subject.u8(21))}`,
    ...(perFat > 0 ? [`sectors/FAT ${perFat}`] : []),
    `sectors/track ${u16(24)}`,
    ...(u16(26) <= 2 ? [] : [`heads ${u16(26)}`]),
    ...(subject.u32(28, true) > 0 ? [`hidden sectors ${subject.u32(28, true)}`] : []),
    ...(large > 0 ? [`sectors ${large} (volumes > 32 MB)`] : []),
    ...(isFat32 ? [`FAT (32 bit)`, `sectors/FAT ${subject.u32(36, true)}`] : []),
    ...(subject.u8(extended + 1) > 0 && !isFat32 ? [`reserved ${hex(subject.u8(extended + 1))}`] : []),
    `serial number ${hex(subject.u32(extended + 3, true))}`,
    label === 'NO NAME' ? 'unlabeled' : `label: "${subject.text(extended + 7, 11)}"`,
    ...(isFat32 ? [] : [`FAT (${subject.text(57, 2)} bit)`]),
  ];
  return `DOS/MBR boot sector, ${parts.join(', ')}`;
}

/** A cylinder, head and sector as a partition table has them. */
function chs(subject: Subject, at: number): string {
  const sector = subject.u8(at + 1);
  return `(${hex(((sector & 0xc0) << 2) | subject.u8(at + 2))},${subject.u8(at)},${sector & 0x3f})`;
}

function describeMbr(subject: Subject): string | undefined {
  if (!subject.has(510, [0x55, 0xaa])) return undefined;
  const fat = describeFat(subject);
  if (fat !== undefined) return fat;
  let text = 'DOS/MBR boot sector';
  const signature = subject.u32(440, true);
  if (signature !== 0 && subject.u8(0) !== 0) text += `, disk signature ${hex(signature)}`;
  let used = 0;
  for (let index = 0; index < 4; index++) {
    const at = 446 + 16 * index;
    const [flag, type] = [subject.u8(at), subject.u8(at + 4)];
    if (type === 0 || (flag & 0x7f) !== 0) continue;
    used += 1 << index;
    text += `; partition ${index + 1} : ID=${hex(type)}${flag === 0x80 ? ', active' : ''}, start-CHS ${chs(
      subject,
      at + 1,
    )}, end-CHS ${chs(subject, at + 5)}, startsector ${subject.u32(at + 8, true)}, ${subject.u32(at + 12, true)} sectors`;
  }
  // The program takes a table with only a first entry, which is not active, for the last link of logical partitions.
  if (used === 1 && subject.u8(446) === 0) text += ', extended partition table (last)';
  return text;
}

function describeLvm(subject: Subject): string | undefined {
  const at = [0, 512, 1024, 1536].find(
    (start) => subject.has(start, 'LABELONE') && subject.has(start + 24, 'LVM2 001'),
  );
  if (at === undefined) return undefined;
  const id = subject.text(at + 32, 32);
  const dashed = /^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/.exec(id)?.slice(1).join('-') ?? id;
  return `LVM2 PV (Linux Logical Volume Manager), UUID: ${dashed}, size: ${subject.u64(at + 64, true)}`;
}

const signatures: readonly (readonly [offset: number, mark: string | readonly number[], words: string])[] = [
  [0, 'XFSB', 'SGI XFS filesystem data'],
  [0x10040, '_BHRfS_M', 'BTRFS Filesystem'],
  [0, 'hsqs', 'Squashfs filesystem, little endian'],
  [3, 'NTFS    ', 'DOS/MBR boot sector, code offset 0x52+2, OEM-ID "NTFS    "'],
  [0, [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], 'LUKS encrypted file'],
];

/** The content of a disk or its image; undefined if unknown. */
export function describeDisk(subject: Subject): string | undefined {
  return (
    describeExt(subject) ??
    describeSwap(subject) ??
    describeLvm(subject) ??
    describeIso(subject) ??
    signatures.find(([offset, mark]) => subject.has(offset, mark))?.[2] ??
    describeMbr(subject)
  );
}
