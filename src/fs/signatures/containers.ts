/**
 * What holds other disks: members of RAID arrays, of volume groups and of pools, and encrypted containers. Asked before
 * filesystems, as what lies inside may shine through.
 *
 * md: the kernel's include/uapi/linux/raid/md_p.h. LVM: its format_text/layout.h. LUKS: "LUKS1 On-Disk Format" 1.2.3 and
 * "LUKS2 On-Disk Format" 1.1.1, both big-endian. BitLocker: libbde's notes. bcache: the kernel's bcache.h.
 */
import { crc32Raw } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Probed } from '../driver.js';
import { ascii, found, label, part, readMaybe, signature, uuid, viewMaybe } from './signature.js';

/** Disks as small as a floppy's are not members of anything. */
const floppySize = 1440 * 1024;

const mdMagic = 0xa92b4efc;

/** Four 32-bit numbers as a UUID: version 0.90 prints them as numbers, whatever the byte order on the disk. */
function wordsUuid(words: readonly number[]): string {
  const hex = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  if (/^0+$/.test(hex)) return '';
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Version 0.90: in the last whole 64 KiB but one, in the byte order of its machine. */
function probeMd0(disk: Disk): Probed | undefined {
  if (disk.size < 0x10000) return undefined;
  const view = viewMaybe(disk, Math.floor(disk.size / 0x10000) * 0x10000 - 0x10000, 64);
  if (view === undefined) return undefined;
  const little = view.getUint32(0, true) === mdMagic;
  if (!little && view.getUint32(0) !== mdMagic) return undefined;
  const word = (index: number) => view.getUint32(index * 4, little);
  const minor = word(2);
  const rest = minor >= 90 ? [word(13), word(14), word(15)] : [0, 0, 0];
  return found('linux_raid_member', {
    uuid: wordsUuid([word(5), ...rest]),
    usage: 'raid',
    facts: { VERSION: `${word(1)}.${minor}.${word(3)}` },
  });
}

/** Versions 1.0 (near the end), 1.1 (at the start) and 1.2 (4 KiB from the start). The superblock knows its own place. */
function probeMd1(disk: Disk, offset: number, version: string): Probed | undefined {
  const view = viewMaybe(disk, offset, 256);
  if (view === undefined || view.getUint32(0, true) !== mdMagic || view.getUint32(4, true) !== 1) {
    return undefined;
  }
  if (view.getBigUint64(144, true) !== BigInt(offset / 512)) return undefined;
  const device = uuid(view, 168);
  return found('linux_raid_member', {
    label: label(view, 32, 32),
    uuid: uuid(view, 16),
    usage: 'raid',
    facts: { VERSION: version, ...(device === '' ? {} : { UUID_SUB: device }) },
  });
}

function probeMd(disk: Disk): Probed | undefined {
  if (disk.size <= floppySize) return undefined;
  return (
    probeMd0(disk) ??
    probeMd1(disk, Math.floor(disk.size / 4096) * 4096 - 8192, '1.0') ??
    probeMd1(disk, 0, '1.1') ??
    probeMd1(disk, 4096, '1.2')
  );
}

const lvmCrcStart = 0xf597a6cf;

/** A label lies in one of the first four sectors. */
function probeLvm(disk: Disk): Probed | undefined {
  if (disk.size <= floppySize) return undefined;
  for (let sector = 0; sector < 4; sector++) {
    const view = viewMaybe(disk, sector * 512, 512);
    if (view === undefined) return undefined;
    if (ascii(view, 0, 8) !== 'LABELONE' || ascii(view, 24, 8) !== 'LVM2 001') continue;
    if (view.getBigUint64(8, true) !== BigInt(sector)) continue;
    if (crc32Raw(lvmCrcStart, part(view, 20, 492)) !== view.getUint32(16, true)) continue;
    const id = ascii(view, 32, 32);
    return found('LVM2_member', {
      uuid: id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/s, '$1-$2-$3-$4-$5-$6-$7'),
      usage: 'raid',
      facts: { VERSION: 'LVM2 001' },
    });
  }
  return undefined;
}

const luksMagic = 'LUKS\xba\xbe';
/** LUKS2's second header, and where it may be. */
const luksSecondMagic = 'SKUL\xba\xbe';
const luksSecondOffsets = [
  0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000,
] as const;

function probeLuks(disk: Disk): Probed | undefined {
  for (const offset of [0, ...luksSecondOffsets]) {
    const view = viewMaybe(disk, offset, 512);
    if (view === undefined) return undefined;
    if (ascii(view, 0, 6) !== (offset === 0 ? luksMagic : luksSecondMagic)) continue;
    const version = view.getUint16(6);
    const id = label(view, 168, 40);
    if (version === 1 && offset === 0) {
      return found('crypto_LUKS', { uuid: id, usage: 'crypto', facts: { VERSION: '1' } });
    }
    if (version !== 2 || view.getBigUint64(256) !== BigInt(offset)) continue;
    const subsystem = label(view, 208, 48);
    return found('crypto_LUKS', {
      label: label(view, 24, 48),
      uuid: id,
      usage: 'crypto',
      facts: { VERSION: '2', ...(subsystem === '' ? {} : { SUBSYSTEM: subsystem }) },
    });
  }
  return undefined;
}

const bitLockerGuids = [
  '3bd667492e29d84a8399f6a339e3d001', // whole volumes since Windows 7, and BitLocker To Go
  '3b4da892809f7c45bdbd4d0a7d4d5d36', // of which only the used part is encrypted
];

/** Where the place of the metadata is told in each of the later forms. */
const bitLockerForms = [
  { words: '-FVE-FS-', guidAt: 160, metadataAt: 176 },
  { words: 'MSWIN4.1', guidAt: 424, metadataAt: 440 },
];

function probeBitLocker(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0, 512);
  if (view === undefined) return undefined;
  const words = ascii(view, 3, 8);
  for (const form of bitLockerForms) {
    const guid = Buffer.from(part(view, form.guidAt, 16)).toString('hex');
    if (words !== form.words || !bitLockerGuids.includes(guid)) continue;
    const place = view.getBigUint64(form.metadataAt, true);
    if (place > BigInt(disk.size)) return undefined;
    const metadata = viewMaybe(disk, Number(place), 64);
    if (metadata === undefined || ascii(metadata, 0, 8) !== '-FVE-FS-') return undefined;
    return found('BitLocker', {
      usage: 'crypto',
      facts: { VERSION: String(metadata.getUint16(10, true)) },
    });
  }
  // Windows Vista's, which is known by its jump as well.
  const isVista = words === '-FVE-FS-' && ascii(view, 0, 3) === '\xeb\x52\x90';
  return isVista ? found('BitLocker', { usage: 'crypto' }) : undefined;
}

const bcacheMagic = 'c68573f64e1a45ca8265f57f48ba6d81';
const bcachefsMagic = 'c68573f666ce90a9d96a60cf803df7ef';

function probeBcache(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 4096, 208);
  if (view === undefined || Buffer.from(part(view, 24, 16)).toString('hex') !== bcacheMagic) return undefined;
  if (view.getBigUint64(8, true) !== 8n) return undefined;
  return found('bcache', { uuid: uuid(view, 40), usage: 'other' });
}

function probeBcachefs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 4096, 208);
  if (view === undefined || Buffer.from(part(view, 24, 16)).toString('hex') !== bcachefsMagic)
    return undefined;
  return found('bcachefs', {
    label: label(view, 72, 32),
    uuid: uuid(view, 56),
  });
}

/** VMware: the member of a volume, and the filesystem in it. */
function probeVmfsMember(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0x100000, 512);
  if (view === undefined || view.getUint32(0, true) !== 0xc001d00d) return undefined;
  return found('VMFS_volume_member', {
    usage: 'raid',
    facts: { UUID_SUB: vmfsUuid(view, 130), VERSION: String(view.getUint32(4, true)) },
  });
}

function probeVmfs(disk: Disk): Probed | undefined {
  const raw = readMaybe(disk, 0x200000, 256);
  if (raw === undefined) return undefined;
  const view = new DataView(raw.buffer);
  if (view.getUint32(0, true) !== 0x2fabf15e) return undefined;
  return found('VMFS', {
    label: label(view, 29, 128),
    uuid: vmfsUuid(view, 9),
    facts: { VERSION: String(view.getUint8(8)) },
  });
}

/** Two 32-bit numbers and one of 16 bits, little-endian, and six bytes. */
function vmfsUuid(view: DataView, at: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const tail = Buffer.from(part(view, at + 10, 6)).toString('hex');
  return `${hex(view.getUint32(at, true), 8)}-${hex(view.getUint32(at + 4, true), 8)}-${hex(view.getUint16(at + 8, true), 4)}-${tail}`;
}

export const containers = [
  signature('linux_raid_member', probeMd),
  signature('bcache', probeBcache),
  signature('bcachefs', probeBcachefs),
  signature('LVM2_member', probeLvm),
  signature('crypto_LUKS', probeLuks),
  signature('VMFS_volume_member', probeVmfsMember),
  signature('BitLocker', probeBitLocker),
  signature('VMFS', probeVmfs),
];
