/**
 * Recognises what holds other disks: members of RAID arrays, caches, and encrypted containers.
 *
 * md: the kernel's include/uapi/linux/raid/md_p.h. LUKS: "LUKS1 On-Disk Format" 1.2.3 and "LUKS2 On-Disk Format"
 * 1.1.1, both big-endian. BitLocker: libbde's notes. bcache: the kernel's bcache.h.
 */
import { encodeHex } from '../../base/index.js';
import type { Disk, ProbeContext } from '../../disk/index.js';
import { ascii, container, type Found, label, part, signature, uuid, viewMaybe } from './signature.js';

const mdMagic = 0xa92b4efc;

/** Four 32-bit numbers as a UUID: version 0.90 prints them as numbers, whatever the byte order on the disk. */
function wordsUuid(words: readonly number[]): string {
  const hex = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  if (/^0+$/.test(hex)) return '';
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const md0Reserved = 0x10000;

/**
 * Version 0.90: in the last whole 64 KiB but one, in the byte order of its machine. It does not contain its own
 * place. So its size must fit, and on a whole disk it must differ from that of a partition that ends there.
 */
function probeMd0(disk: Disk, context: ProbeContext): Found | undefined {
  const offset = Math.floor(disk.size / md0Reserved) * md0Reserved - md0Reserved;
  const view = viewMaybe(disk, offset, 64);
  if (view === undefined) return undefined;
  const little = view.getUint32(0, true) === mdMagic;
  if (!little && view.getUint32(0) !== mdMagic) return undefined;
  const word = (index: number) => view.getUint32(index * 4, little);
  const size = word(8) * 1024;
  if (disk.size < size + md0Reserved || offset < size) return undefined;
  if (context.whole && context.covered(offset - size, size + md0Reserved)) return undefined;
  const minor = word(2);
  const rest = minor >= 90 ? [word(13), word(14), word(15)] : [0, 0, 0];
  return {
    uuid: wordsUuid([word(5), ...rest]),
    facts: { VERSION: `${word(1)}.${minor}.${word(3)}` },
  };
}

/**
 * Versions 1.0 (near the end), 1.1 (at the start) and 1.2 (4 KiB from the start). The superblock contains its own
 * place.
 */
function probeMd1(disk: Disk, offset: number, version: string): Found | undefined {
  const view = viewMaybe(disk, offset, 256);
  if (view === undefined || view.getUint32(0, true) !== mdMagic || view.getUint32(4, true) !== 1) {
    return undefined;
  }
  if (view.getBigUint64(144, true) !== BigInt(offset / 512)) return undefined;
  return {
    label: label(view, 32, 32),
    uuid: uuid(view, 16),
    facts: { VERSION: version, UUID_SUB: uuid(view, 168) },
  };
}

function probeMd(disk: Disk, context: ProbeContext): Found | undefined {
  return (
    probeMd0(disk, context) ??
    probeMd1(disk, Math.floor(disk.size / 4096) * 4096 - 8192, '1.0') ??
    probeMd1(disk, 0, '1.1') ??
    probeMd1(disk, 4096, '1.2')
  );
}

const luksMagic = 'LUKS\xba\xbe';
/** The possible places of LUKS2's second header. */
const luksSecondMagic = 'SKUL\xba\xbe';
const luksSecondOffsets = [
  0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000,
] as const;

function probeLuks(disk: Disk): Found | undefined {
  for (const offset of [0, ...luksSecondOffsets]) {
    const view = viewMaybe(disk, offset, 512);
    if (view === undefined) return undefined;
    if (ascii(view, 0, 6) !== (offset === 0 ? luksMagic : luksSecondMagic)) continue;
    const version = view.getUint16(6);
    return {
      label: version === 2 ? label(view, 24, 48) : '',
      uuid: version === 1 || version === 2 ? label(view, 168, 40) : '',
      facts: { VERSION: String(version), SUBSYSTEM: version === 2 ? label(view, 208, 48) : '' },
    };
  }
  return undefined;
}

/** The forms of BitLocker by their first bytes, and the fields of later ones with the place of their metadata. */
const bitLockerForms = [
  { mark: '\xeb\x52\x90-FVE-FS-', metadataAt: undefined, serialAt: undefined }, // Windows Vista
  { mark: '\xeb\x58\x90-FVE-FS-', metadataAt: 176, serialAt: 67 },
  { mark: '\xeb\x58\x90MSWIN4.1', metadataAt: 440, serialAt: undefined }, // To Go: the mark is FAT's, too
];

function probeBitLocker(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 512);
  const form = view && bitLockerForms.find(({ mark }) => ascii(view, 0, mark.length) === mark);
  if (view === undefined || form === undefined) return undefined;
  if (form.metadataAt === undefined) return {};
  const place = view.getBigUint64(form.metadataAt, true);
  if (place === 0n || place > BigInt(disk.size)) return undefined;
  const metadata = viewMaybe(disk, Number(place), 12);
  if (metadata === undefined || ascii(metadata, 0, 8) !== '-FVE-FS-') return undefined;
  const serial = form.serialAt === undefined ? 0 : view.getInt32(form.serialAt, true);
  return {
    uuid:
      serial === 0
        ? ''
        : `${serial < 0 ? '-' : ''}${String(Math.abs(serial)).padStart(serial < 0 ? 15 : 16, '0')}`,
    facts: { VERSION: String(metadata.getUint16(10, true)) },
  };
}

const bcacheMagic = 'c68573f64e1a45ca8265f57f48ba6d81';
const bcachefsMagic = 'c68573f666ce90a9d96a60cf803df7ef';

function probeBcache(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 4096, 208);
  if (view === undefined || encodeHex(part(view, 24, 16)) !== bcacheMagic) return undefined;
  return view.getBigUint64(8, true) === 8n ? { uuid: uuid(view, 40) } : undefined;
}

/** Recognised by later versions of libblkid than 2.38. */
function probeBcachefs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 4096, 208);
  if (view === undefined || encodeHex(part(view, 24, 16)) !== bcachefsMagic) return undefined;
  return { label: label(view, 72, 32), uuid: uuid(view, 56) };
}

export const arraysAndLocks = [
  container('linux_raid_member', probeMd, { usage: 'raid', minimumSize: md0Reserved + 1 }),
  container('crypto_LUKS', probeLuks, { usage: 'crypto' }),
  container('BitLocker', probeBitLocker, { usage: 'crypto' }),
];

export const caches = [
  signature('bcache', probeBcache, { usage: 'other', minimumSize: 8192 }),
  signature('bcachefs', probeBcachefs),
];
