/**
 * Recognises filesystems of other Unixes. UFS: the BSDs' sys/ufs/ffs/fs.h. ZFS: "ZFS On-Disk Specification" (Sun,
 * 2006), 1.2 and 1.3. Those of System V, of XENIX, of UnixWare (BFS) and VERITAS's (VxFS): the kernel's own headers.
 */
import { decodeText } from '../../base/index.js';
import type { Disk, ProbeContext } from '../../disk/index.js';
import { type Found, label, part, powerOfTwo, signature, viewMaybe } from './signature.js';

/**
 * Possible places of a UFS superblock: UFS1's 8 KiB, UFS2's 64 KiB, and two rare ones. The first one found counts.
 */
const ufsOffsets = [0, 0x2000, 0x10000, 0x40000];
/** Signatures at the end of the superblock: numbers in the machine's byte order. */
const ufsMarks: ReadonlyMap<number, '1' | '2'> = new Map([
  [0x00011954, '1'],
  [0x00095014, '1'],
  [0x00612195, '1'],
  [0x05231994, '1'],
  [0x19540119, '2'],
]);

function probeUfs(disk: Disk): Found | undefined {
  for (const offset of ufsOffsets) {
    const view = viewMaybe(disk, offset, 1376);
    if (view === undefined) return undefined;
    for (const little of [true, false]) {
      const version = ufsMarks.get(view.getUint32(1372, little));
      if (version === undefined) continue;
      const id = [144, 148].map((at) => view.getUint32(at, little).toString(16).padStart(8, '0')).join('');
      return {
        label: version === '2' ? label(view, 680, 32) : '',
        uuid: /^0+$/.test(id) ? '' : id,
        facts: { VERSION: version, BLOCK_SIZE: String(view.getUint32(52, little)) },
      };
    }
  }
  return undefined;
}

const zfsLabelSize = 0x40000;
const minZfsSize = 64 * 1024 * 1024;
/** Of 64 bits, the upper ones zero. */
const uberblockMagic = 0x00bab10c;
/** The smallest distance between uberblocks; each label has 128 KiB of them. */
const uberblockSize = 1024;
/** The least number of uberblocks: a single one may be left over from an earlier use of the disk. */
const wantedUberblocks = 4;
const numberType = 8;
const stringType = 9;
const listType = 19;
/** The place of the pairs in a label, and how much of them is read. */
const pairsAt = 0x4000;
const pairsSize = 4096;

/** A ring of uberblocks: their number, and the version of the last one. */
function readUberblocks(disk: Disk, place: number): { count: number; version: bigint } {
  let count = 0;
  let version = 0n;
  const ring = viewMaybe(disk, place + 0x20000, 0x20000);
  for (let at = 0; ring !== undefined && at < ring.byteLength; at += uberblockSize) {
    const little = ring.getUint32(at, true) === uberblockMagic && ring.getUint32(at + 4) === 0;
    if (!little && (ring.getUint32(at + 4) !== uberblockMagic || ring.getUint32(at) !== 0)) continue;
    version = ring.getBigUint64(at + 8, little);
    count++;
  }
  return { count, version };
}

/**
 * ZFS has four labels: two at the start, two at the end. Labels without a list of pairs are skipped first, because
 * the rings are long and this runs on every disk. On a whole disk, labels within a partition belong to the partition.
 */
function probeZfs(disk: Disk, context: ProbeContext): Found | undefined {
  const end = Math.floor(disk.size / zfsLabelSize) * zfsLabelSize;
  let total = 0;
  for (const place of [0, zfsLabelSize, end - 2 * zfsLabelSize, end - zfsLabelSize]) {
    if (context.whole && context.covered(place, zfsLabelSize)) continue;
    const pairs = viewMaybe(disk, place + pairsAt, pairsSize);
    // One byte of encoding (1 is XDR), one of byte order, two that are not used; then version and flags.
    if (pairs === undefined || pairs.getUint8(0) !== 1 || pairs.getUint8(1) > 1) continue;
    const { count, version } = readUberblocks(disk, place);
    total += count;
    if (total < wantedUberblocks) continue;
    const values = readPairs(pairs);
    const id = values.get('pool_guid') ?? '';
    const shift = values.get('ashift');
    return {
      label: values.get('name') ?? '',
      uuid: id === '0' ? '' : id,
      facts: {
        UUID_SUB: values.get('guid') ?? '',
        VERSION: String(version),
        BLOCK_SIZE: shift === undefined ? '' : powerOfTwo(Number(shift)),
      },
    };
  }
  return undefined;
}

/**
 * The strings and numbers at the top of a list of pairs in XDR, as text, and the sector size (`ashift`) at any depth:
 * it belongs to a device of the pool's tree. Stops at anything out of bounds.
 */
function readPairs(view: DataView): Map<string, string> {
  const pairs = new Map<string, string>();
  let depth = 0;
  for (let at = 12; at + 12 < view.byteLength; ) {
    const size = view.getUint32(at);
    if (size === 0) {
      // The end of a list in the list.
      if (depth-- === 0) break;
      at += 8;
      continue;
    }
    const nameLength = view.getUint32(at + 8);
    const value = at + 12 + Math.ceil(nameLength / 4) * 4;
    if (at + size > view.byteLength || value + 12 > at + size) break;
    const name = decodeText(part(view, at + 12, nameLength));
    const type = view.getUint32(value);
    if (type === listType) {
      depth++;
      at = value + 16;
      continue;
    }
    if (depth === 0 || name === 'ashift') {
      const length = view.getUint32(value + 8);
      if (type === numberType && value + 16 <= at + size)
        pairs.set(name, String(view.getBigUint64(value + 8)));
      else if (type === stringType && value + 12 + length <= at + size)
        pairs.set(name, label(view, value + 12, length));
    }
    at += size;
  }
  return pairs;
}

/** Possible places of System V's superblock: half a block after one of these blocks of 1 KiB. */
const systemVBlocks = [0, 9, 15, 18];
const systemVMagic = 0xfd187e20;

function probeSystemV(disk: Disk): Found | undefined {
  for (const block of systemVBlocks) {
    const view = viewMaybe(disk, block * 1024 + 512, 512);
    if (view === undefined) return undefined;
    if (view.getUint32(504, true) === systemVMagic || view.getUint32(504) === systemVMagic)
      return { label: label(view, 440, 6) };
  }
  return undefined;
}

const xenixMagic = 0x002b5544;

/** XENIX. (libblkid 2.38 looks 8 bytes further on, where no volume has its mark.) */
function probeXenix(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 1024, 1024);
  if (view === undefined) return undefined;
  const found = [true, false].some((little) => view.getUint32(0x3f8, little) === xenixMagic);
  return found ? { label: label(view, 632, 6) } : undefined;
}

const vxfsMagic = 0xa501fcf5;

/** VxFS is little-endian at 1 KiB, or big-endian (HP-UX) at 8 KiB. */
function probeVxfs(disk: Disk): Found | undefined {
  for (const { offset, little } of [
    { offset: 1024, little: true },
    { offset: 8192, little: false },
  ]) {
    const view = viewMaybe(disk, offset, 44);
    if (view?.getUint32(0, little) !== vxfsMagic) continue;
    return {
      facts: {
        VERSION: String(view.getUint32(4, little)),
        BLOCK_SIZE: String(view.getUint32(32, little)),
      },
    };
  }
  return undefined;
}

function probeBfs(disk: Disk): Found | undefined {
  return viewMaybe(disk, 0, 4)?.getUint32(0, true) === 0x1badface ? {} : undefined;
}

export const unix = [
  signature('zfs_member', probeZfs, { minimumSize: minZfsSize, beyondLinux: true }),
  signature('ufs', probeUfs),
  signature('sysv', probeSystemV),
  signature('xenix', probeXenix),
  signature('vxfs', probeVxfs),
  signature('bfs', probeBfs),
];
