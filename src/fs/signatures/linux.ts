/**
 * Filesystems of Linux that are known by sight. Superblocks: XFS "XFS Algorithms & Data Structures", 3rd edition, 13;
 * btrfs, f2fs, EROFS, cramfs, romfs, NILFS2, ReiserFS, JFS, minix: the kernel's own headers; squashfs: its format 4.0.
 */
import { crc32Raw } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Probed } from '../driver.js';
import { ascii, found, label, label16, part, readMaybe, signature, uuid, viewMaybe } from './signature.js';

function probeXfs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0, 264);
  if (view === undefined || ascii(view, 0, 4) !== 'XFSB') return undefined;
  const sectorSize = view.getUint16(102);
  const sectorLog = view.getUint8(121);
  const blockSize = view.getUint32(4);
  const blockLog = view.getUint8(120);
  if (sectorSize !== 2 ** sectorLog || blockSize !== 2 ** blockLog) return undefined;
  if (sectorSize < 512 || sectorSize > 32768 || blockSize < 512 || blockSize > 65536) return undefined;
  return found('xfs', {
    label: label(view, 108, 12),
    uuid: uuid(view, 32),
    facts: { BLOCK_SIZE: String(sectorSize) },
  });
}

function probeBtrfs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0x10000, 0x22b);
  if (view === undefined || ascii(view, 0x40, 8) !== '_BHRfS_M') return undefined;
  const device = uuid(view, 0x10b);
  return found('btrfs', {
    label: label(view, 0x12b, 256),
    uuid: uuid(view, 0x20),
    facts: {
      ...(device === '' ? {} : { UUID_SUB: device }),
      BLOCK_SIZE: String(view.getUint32(0x90, true)),
    },
  });
}

function probeF2fs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 1024, 124 + 1024);
  if (view === undefined || view.getUint32(0, true) !== 0xf2f52010) return undefined;
  const blockLog = view.getUint32(16, true);
  const facts: Record<string, string> = {
    VERSION: `${view.getUint16(4, true)}.${view.getUint16(6, true)}`,
  };
  if (blockLog < 32) facts.BLOCK_SIZE = String(2 ** blockLog);
  return found('f2fs', { label: label16(view, 124, 512, true), uuid: uuid(view, 108), facts });
}

/** Versions below 4 have a type of their own, and may be big-endian. */
function probeSquashfs(type: 'squashfs' | 'squashfs3') {
  return (disk: Disk): Probed | undefined => {
    const view = viewMaybe(disk, 0, 96);
    if (view === undefined) return undefined;
    const magic = ascii(view, 0, 4);
    if (magic !== 'hsqs' && magic !== 'sqsh') return undefined;
    const little = magic === 'hsqs';
    const major = view.getUint16(28, little);
    if (major >= 4 !== (type === 'squashfs') || (type === 'squashfs' && !little)) return undefined;
    return found(type, { facts: { VERSION: `${major}.${view.getUint16(30, little)}` } });
  };
}

function probeErofs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 1024, 128);
  if (view === undefined || view.getUint32(0, true) !== 0xe0f5e1e2) return undefined;
  const blockLog = view.getUint8(12);
  return found('erofs', {
    label: label(view, 64, 16),
    uuid: uuid(view, 48),
    facts: blockLog < 32 ? { BLOCK_SIZE: String(2 ** blockLog) } : {},
  });
}

function probeCramfs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0, 64);
  if (view === undefined || ascii(view, 16, 16) !== 'Compressed ROMFS') return undefined;
  if (view.getUint32(0, true) !== 0x28cd3d45 && view.getUint32(0) !== 0x28cd3d45) return undefined;
  return found('cramfs', { label: label(view, 48, 16) });
}

function probeRomfs(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0, 32);
  if (view === undefined || ascii(view, 0, 8) !== '-rom1fs-') return undefined;
  return found('romfs', { label: label(view, 16, 16), facts: { BLOCK_SIZE: '1024' } });
}

/** NILFS2 has a checksum, which is what tells it from chance: its mark has 16 bits. The second copy is near the end. */
function probeNilfs(disk: Disk): Probed | undefined {
  for (const offset of [1024, Math.floor(disk.size / 4096) * 4096 - 4096]) {
    const view = viewMaybe(disk, offset, 1024);
    if (view?.getUint16(6, true) !== 0x3434) continue;
    const length = view.getUint16(8, true);
    if (length < 20 || length > 1024) continue;
    let crc = crc32Raw(view.getUint32(12, true), part(view, 0, 16));
    crc = crc32Raw(crc, new Uint8Array(4));
    crc = crc32Raw(crc, part(view, 20, length - 20));
    if (crc !== view.getUint32(16, true)) continue;
    const blockLog = view.getUint32(20, true);
    const facts: Record<string, string> = { VERSION: String(view.getUint32(0, true)) };
    if (blockLog < 20) facts.BLOCK_SIZE = String(2 ** (blockLog + 10));
    return found('nilfs2', { label: label(view, 168, 80), uuid: uuid(view, 152), facts });
  }
  return undefined;
}

const reiserMarks: ReadonlyMap<string, string> = new Map([
  ['ReIsErFs', '3.5'],
  ['ReIsEr2Fs', '3.6'],
  ['ReIsEr3Fs', 'JR'],
]);

function probeReiser(disk: Disk): Probed | undefined {
  for (const offset of [0x2000, 0x10000]) {
    const view = viewMaybe(disk, offset, 128);
    if (view === undefined) return undefined;
    const version = reiserMarks.get(label(view, 52, 10)) ?? reiserMarks.get(label(view, 52, 8));
    const blockSize = view.getUint16(44, true);
    if (version === undefined || blockSize < 1024) continue;
    // The superblock lies before the journal; one after it is an old one's remains in the journal.
    const journalBlock = view.getUint32(12, true);
    if (Math.floor(offset / blockSize) > journalBlock) continue;
    const named = version !== '3.5';
    return found('reiserfs', {
      label: named ? label(view, 100, 16) : '',
      uuid: named ? uuid(view, 84) : '',
      facts: { VERSION: version, BLOCK_SIZE: String(blockSize) },
    });
  }
  return undefined;
}

function probeReiser4(disk: Disk): Probed | undefined {
  const view = viewMaybe(disk, 0x10000, 52);
  if (view === undefined || ascii(view, 0, 7) !== 'ReIsEr4') return undefined;
  return found('reiser4', { label: label(view, 36, 16), uuid: uuid(view, 20), facts: { VERSION: '4' } });
}

/** The smallest that its mkfs makes. */
const minJfsSize = 16 * 1024 * 1024;

function probeJfs(disk: Disk): Probed | undefined {
  if (disk.size < minJfsSize) return undefined;
  const view = viewMaybe(disk, 0x8000, 184);
  if (view === undefined || ascii(view, 0, 4) !== 'JFS1') return undefined;
  const blockSize = view.getUint32(16, true);
  const blockLog = view.getUint16(20, true);
  const physicalSize = view.getUint32(24, true);
  const physicalLog = view.getUint16(28, true);
  if (blockSize !== 2 ** blockLog || physicalSize !== 2 ** physicalLog) return undefined;
  if (view.getUint16(22, true) !== blockLog - physicalLog) return undefined;
  return found('jfs', {
    label: label(view, 152, 16),
    uuid: uuid(view, 136),
    facts: { BLOCK_SIZE: String(blockSize) },
  });
}

/** Marks of minix versions 1 and 2, each with names of 14 and of 30 bytes. */
const minixMarks: ReadonlyMap<number, 1 | 2> = new Map([
  [0x137f, 1],
  [0x138f, 1],
  [0x2468, 2],
  [0x2478, 2],
]);

/**
 * minix: its marks have 16 bits, so that its figures must fit each other, and there must be no mark of ext behind them
 * (whose superblock lies at the same place).
 */
function probeMinix(disk: Disk): Probed | undefined {
  const raw = readMaybe(disk, 1024, 64);
  if (raw === undefined) return undefined;
  const view = new DataView(raw.buffer);
  if (view.getUint16(0x38, true) === 0xef53) return undefined;
  for (const little of [true, false]) {
    const short = (at: number) => view.getUint16(at, little);
    const version = short(24) === 0x4d5a ? 3 : minixMarks.get(short(16));
    if (version === undefined) continue;
    const [inodes, zones, inodeMaps, zoneMaps, firstZone, zoneLog, blockSize] =
      version === 3
        ? [
            view.getUint32(0, little),
            view.getUint32(20, little),
            short(6),
            short(8),
            short(10),
            short(12),
            short(28),
          ]
        : [
            short(0),
            version === 1 ? short(2) : view.getUint32(20, little),
            short(4),
            short(6),
            short(8),
            short(10),
            1024,
          ];
    if (zoneLog !== 0 || inodes === 0 || inodes === 0xffffffff || blockSize < 1024) continue;
    const bitsPerBlock = blockSize * 8;
    if (inodeMaps * bitsPerBlock < inodes + 1 || zoneMaps * bitsPerBlock < zones - firstZone + 1) continue;
    return found('minix', { facts: { VERSION: String(version), BLOCK_SIZE: String(blockSize) } });
  }
  return undefined;
}

export const linux = [
  signature('xfs', probeXfs),
  signature('reiserfs', probeReiser),
  signature('reiser4', probeReiser4),
  signature('jfs', probeJfs),
  signature('cramfs', probeCramfs),
  signature('romfs', probeRomfs),
  signature('squashfs', probeSquashfs('squashfs')),
  signature('squashfs3', probeSquashfs('squashfs3')),
  signature('btrfs', probeBtrfs),
  signature('nilfs2', probeNilfs),
  signature('f2fs', probeF2fs),
  signature('erofs', probeErofs),
];

/** Known by marks so short that it is asked last. */
export const minix = signature('minix', probeMinix);
