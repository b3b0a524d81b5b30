/**
 * Filesystems of Linux that are known by sight. Superblocks: f2fs, EROFS, romfs, NILFS2, ReiserFS, JFS, minix:
 * the kernel's own headers; squashfs: versions before 4.
 */
import { crc32Raw } from '../../base/index.js';
import type { Disk, ProbeContext } from '../../disk/index.js';
import {
  ascii,
  type Found,
  label,
  label16,
  part,
  powerOfTwo,
  signature,
  uuid,
  viewMaybe,
} from './signature.js';

/** Version 1.0 had no label and no UUID where later versions have them. */
function probeF2fs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 1024, 124 + 1024);
  if (view === undefined || view.getUint32(0, true) !== 0xf2f52010) return undefined;
  const version = `${view.getUint16(4, true)}.${view.getUint16(6, true)}`;
  if (version === '1.0') return {};
  return {
    label: label16(view, 124, 512, true),
    uuid: uuid(view, 108),
    facts: { VERSION: version, BLOCK_SIZE: powerOfTwo(view.getUint32(16, true)) },
  };
}

/** Versions below 4, in either byte order. */
function probeSquashfs3(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 96);
  if (view === undefined) return undefined;
  const magic = ascii(view, 0, 4);
  if (magic !== 'hsqs' && magic !== 'sqsh') return undefined;
  const little = magic === 'hsqs';
  const major = view.getUint16(28, little);
  if (major >= 4) return undefined;
  return { facts: { VERSION: `${major}.${view.getUint16(30, little)}`, BLOCK_SIZE: '1024' } };
}

function probeErofs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 1024, 128);
  if (view === undefined || view.getUint32(0, true) !== 0xe0f5e1e2) return undefined;
  return {
    label: label(view, 64, 16),
    uuid: uuid(view, 48),
    facts: { BLOCK_SIZE: powerOfTwo(view.getUint8(12)) },
  };
}

function probeRomfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 32);
  if (view === undefined || ascii(view, 0, 8) !== '-rom1fs-') return undefined;
  return { label: label(view, 16, 16), facts: { BLOCK_SIZE: '1024' } };
}

/** NILFS2's signature has only 16 bits, so the checksum excludes a chance match. */
function isNilfs(view: DataView | undefined): view is DataView {
  if (view?.getUint16(6, true) !== 0x3434) return false;
  const length = view.getUint16(8, true);
  if (length < 20 || length > view.byteLength) return false;
  let crc = crc32Raw(view.getUint32(12, true), part(view, 0, 16));
  crc = crc32Raw(crc, new Uint8Array(4));
  crc = crc32Raw(crc, part(view, 20, length - 20));
  return crc === view.getUint32(16, true);
}

/**
 * The second copy is 4 KiB from the end; on a whole disk it counts only if it contains the disk's size. The newer
 * copy counts.
 */
function probeNilfs(disk: Disk, { whole }: ProbeContext): Found | undefined {
  const first = viewMaybe(disk, 1024, 1024);
  const last = viewMaybe(disk, Math.floor(disk.size / 512) * 512 - 4096, 1024);
  const isFirst = isNilfs(first);
  const isLast = isNilfs(last) && (!whole || last.getBigUint64(32, true) === BigInt(disk.size));
  const checkpoint = (one: DataView) => one.getBigUint64(56, true);
  const view =
    isFirst && !(isLast && checkpoint(first) > checkpoint(last)) ? first : isLast ? last : undefined;
  return (
    view && {
      label: label(view, 168, 80),
      uuid: uuid(view, 152),
      facts: {
        VERSION: String(view.getUint32(0, true)),
        BLOCK_SIZE: powerOfTwo(view.getUint32(20, true) + 10),
      },
    }
  );
}

/** ReiserFS's signatures, the possible places of each, and its version. */
const reiserPlaces = [
  { mark: 'ReIsErFs', offset: 0x2000, at: 52, version: '3.5' },
  { mark: 'ReIsEr2Fs', offset: 0x10000, at: 52, version: '3.6' },
  { mark: 'ReIsEr3Fs', offset: 0x10000, at: 52, version: 'JR' },
  { mark: 'ReIsErFs', offset: 0x10000, at: 52, version: '3.5' },
  { mark: 'ReIsErFs', offset: 0x2000, at: 20, version: '3.5' },
];
const minReiserSize = 128 * 1024;

function probeReiser(disk: Disk): Found | undefined {
  for (const { mark, offset, at, version } of reiserPlaces) {
    const view = viewMaybe(disk, offset, 128);
    if (view === undefined || ascii(view, at, mark.length) !== mark) continue;
    const blockSize = view.getUint16(44, true);
    if (blockSize < 512) return undefined;
    // The superblock lies before the journal; one within the journal is an old copy.
    const place = Math.floor(offset / 1024 / Math.floor(blockSize / 512));
    if (place > Math.floor(view.getUint32(12, true) / 2)) return undefined;
    const named = version !== '3.5';
    return {
      label: named ? label(view, 100, 16) : '',
      uuid: named ? uuid(view, 84) : '',
      facts: { VERSION: version, BLOCK_SIZE: String(blockSize) },
    };
  }
  return undefined;
}

function probeReiser4(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0x10000, 52);
  if (view === undefined || ascii(view, 0, 7) !== 'ReIsEr4') return undefined;
  return {
    label: label(view, 36, 16),
    uuid: uuid(view, 20),
    facts: { VERSION: '4', BLOCK_SIZE: String(view.getUint8(19) * 256) },
  };
}

/** The smallest that its mkfs makes. */
const minJfsSize = 16 * 1024 * 1024;

function probeJfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0x8000, 184);
  if (view === undefined || ascii(view, 0, 4) !== 'JFS1') return undefined;
  const blockSize = view.getUint32(16, true);
  const blockLog = view.getUint16(20, true);
  const physicalSize = view.getUint32(24, true);
  const physicalLog = view.getUint16(28, true);
  if (blockSize !== 2 ** blockLog || physicalSize !== 2 ** physicalLog) return undefined;
  if (view.getUint16(22, true) !== blockLog - physicalLog) return undefined;
  return {
    label: label(view, 152, 16),
    uuid: uuid(view, 136),
    facts: { BLOCK_SIZE: String(blockSize) },
  };
}

/** Signatures of minix versions 1 and 2, each with names of 14 and of 30 bytes. */
const minixMarks: ReadonlyMap<number, 1 | 2> = new Map([
  [0x137f, 1],
  [0x138f, 1],
  [0x2468, 2],
  [0x2478, 2],
]);

/** The two defined bits of the state of versions 1 and 2. */
const minixStates = 3;

/**
 * minix: its signatures have only 16 bits, so its numbers must be consistent, and ext's signature (whose superblock
 * has the same place) must be absent.
 */
function probeMinix(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 1024, 64);
  if (view === undefined || view.getUint16(0x38, true) === 0xef53) return undefined;
  for (const little of [true, false]) {
    const short = (at: number) => view.getUint16(at, little);
    const version = minixMarks.get(short(16)) ?? (short(24) === 0x4d5a ? 3 : undefined);
    if (version === undefined) continue;
    const at = version === 3 ? 6 : 4;
    const inodes = version === 3 ? view.getUint32(0, little) : short(0);
    const zones = version === 1 ? short(2) : view.getUint32(20, little);
    const [inodeMaps, zoneMaps, firstZone, zoneLog] = [
      short(at),
      short(at + 2),
      short(at + 4),
      short(at + 6),
    ];
    if (version !== 3 && (short(18) & ~minixStates) !== 0) return undefined;
    if (zoneLog !== 0 || inodes === 0 || inodes === 0xffffffff || firstZone > zones) return undefined;
    // The maps have a bit for each inode and zone; they are counted in blocks of 1 KiB, whatever the block size.
    if (inodeMaps * 8192 < inodes + 1 || zoneMaps * 8192 < zones - firstZone + 1) return undefined;
    const blockSize = version === 3 ? short(28) : 1024;
    return { facts: { VERSION: String(version), BLOCK_SIZE: String(blockSize) } };
  }
  return undefined;
}

export const linux = [
  signature('reiserfs', probeReiser, { minimumSize: minReiserSize }),
  signature('reiser4', probeReiser4, { minimumSize: minReiserSize, beyondLinux: true }),
  signature('jfs', probeJfs, { minimumSize: minJfsSize }),
  signature('romfs', probeRomfs),
  signature('minix', probeMinix),
  signature('squashfs3', probeSquashfs3, { beyondLinux: true }),
  signature('nilfs2', probeNilfs, { minimumSize: 1024 * 1024 }),
  signature('f2fs', probeF2fs),
  signature('erofs', probeErofs),
];
