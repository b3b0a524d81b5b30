/**
 * UFS and ZFS, known by sight. UFS: the BSDs' sys/ufs/ffs/fs.h. ZFS: "ZFS On-Disk Specification" (Sun, 2006), 1.2 and 1.3.
 */
import { decodeText } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Probed } from '../driver.js';
import { found, label, part, signature, viewMaybe } from './signature.js';

/** Where a UFS superblock may be: UFS1's 8 KiB, UFS2's 64 KiB, and two rare places. */
const ufsOffsets = [0x2000, 0x10000, 0x40000, 0];
/** Marks at the end of the superblock, which are numbers in the machine's byte order. */
const ufsMarks: ReadonlyMap<number, '1' | '2'> = new Map([
  [0x00011954, '1'],
  [0x00095014, '1'],
  [0x00612195, '1'],
  [0x05231994, '1'],
  [0x19540119, '2'],
]);

function probeUfs(disk: Disk): Probed | undefined {
  for (const offset of ufsOffsets) {
    const view = viewMaybe(disk, offset, 1376);
    if (view === undefined) continue;
    for (const little of [true, false]) {
      const version = ufsMarks.get(view.getUint32(1372, little));
      if (version === undefined) continue;
      const id = [144, 148].map((at) => view.getUint32(at, little).toString(16).padStart(8, '0')).join('');
      return found('ufs', {
        label: version === '2' ? label(view, 680, 32) : '',
        uuid: /^0+$/.test(id) ? '' : id,
        facts: { VERSION: version, BLOCK_SIZE: String(view.getUint32(52, little)) },
      });
    }
  }
  return undefined;
}

const zfsLabelSize = 0x40000;
/** Of 64 bits, the upper ones zero. */
const uberblockMagic = 0x00bab10c;
/** The smallest distance between uberblocks, of which each label has 128 KiB. */
const uberblockSize = 1024;
/** As many must be there: one alone may be left from an earlier life of the disk. */
const wantedUberblocks = 4;
const numberType = 8;
const stringType = 9;

/** ZFS has four labels: two at the start, two at the end. */
function probeZfs(disk: Disk): Probed | undefined {
  const end = Math.floor(disk.size / zfsLabelSize) * zfsLabelSize;
  const places = [0, zfsLabelSize, end - 2 * zfsLabelSize, end - zfsLabelSize];
  let count = 0;
  let version = 0n;
  let named: DataView | undefined;
  for (const place of new Set(places)) {
    const ring = viewMaybe(disk, place + 0x20000, 0x20000);
    if (ring === undefined) continue;
    let here = 0;
    for (let at = 0; at < ring.byteLength; at += uberblockSize) {
      const little = ring.getUint32(at, true) === uberblockMagic && ring.getUint32(at + 4) === 0;
      if (!little && (ring.getUint32(at + 4) !== uberblockMagic || ring.getUint32(at) !== 0)) continue;
      version = ring.getBigUint64(at + 8, little);
      here++;
    }
    count += here;
    if (here > 0) named ??= viewMaybe(disk, place + 0x4000, 0x1c000);
  }
  if (count < wantedUberblocks) return undefined;
  const values = named === undefined ? new Map<string, string>() : readPairs(named);
  const vdev = values.get('guid');
  return found('zfs_member', {
    label: values.get('name') ?? '',
    uuid: values.get('pool_guid') ?? '',
    facts: { ...(vdev === undefined ? {} : { UUID_SUB: vdev }), VERSION: String(version) },
  });
}

/** The strings and numbers at the top of a name-value list in XDR, as text. Stops at what is out of bounds. */
function readPairs(view: DataView): Map<string, string> {
  const pairs = new Map<string, string>();
  const align = (length: number) => Math.ceil(length / 4) * 4;
  // One byte of encoding (1 is XDR), one of byte order, two that are not used; then version and flags.
  if (view.getUint8(0) !== 1) return pairs;
  for (let at = 12; at + 12 <= view.byteLength; ) {
    const size = view.getUint32(at);
    const nameLength = view.getUint32(at + 8);
    const value = at + 12 + align(nameLength);
    if (size < 20 || at + size > view.byteLength || value + 16 > at + size) break;
    const name = decodeText(part(view, at + 12, nameLength));
    const type = view.getUint32(value);
    if (type === numberType) pairs.set(name, String(view.getBigUint64(value + 8)));
    else if (type === stringType) {
      const length = view.getUint32(value + 8);
      if (value + 12 + length <= at + size) pairs.set(name, decodeText(part(view, value + 12, length)));
    }
    at += size;
  }
  return pairs;
}

export const zfs = signature('zfs_member', probeZfs);
export const ufs = signature('ufs', probeUfs);
