/**
 * Recognises members of the arrays of host adapters. Each writes into the last sectors of a whole disk. Sources: the
 * headers of dmraid(8) and mdadm(8), which read them. DDF: SNIA's "Common RAID Disk Data Format" 2.0.
 */
import type { Disk } from '../../disk/index.js';
import { ascii, type Container, container, type Found, label, viewMaybe } from './signature.js';

const sectorSize = 512;
/** Smaller disks are no members. */
const smallestMember = 0x10000;

/** The sector number `back` from the end of a disk; an incomplete last sector does not count. */
function fromEnd(disk: Disk, back: number, length: number): DataView | undefined {
  return viewMaybe(disk, (Math.floor(disk.size / sectorSize) - back) * sectorSize, length);
}

/** A kind whose signature is in the sector number `back` from the end, of which `length` bytes are read. */
function atEnd(
  type: string,
  back: number,
  length: number,
  look: (view: DataView) => Found | undefined,
): Container {
  return container(
    type,
    (disk) => {
      const view = fromEnd(disk, back, length);
      return view && look(view);
    },
    { usage: 'raid', minimumSize: smallestMember, wholeDisksOnly: true },
  );
}

const ddfMagic = 0xde11de11;

/** DDF's anchor is in the last sector, or 256 before it if another adapter's data follow. */
function probeDdf(disk: Disk): Found | undefined {
  for (const back of [1, 257]) {
    const view = fromEnd(disk, back, 512);
    if (view === undefined) return undefined;
    const little = view.getUint32(0, true) === ddfMagic;
    if (!little && view.getUint32(0) !== ddfMagic) continue;
    const primary = view.getBigUint64(96, little);
    if (primary > 0n) {
      if (primary > BigInt(Math.floor(disk.size / sectorSize))) return undefined;
      const header = viewMaybe(disk, Number(primary) * sectorSize, 4);
      if (header?.getUint32(0, little) !== ddfMagic) return undefined;
    }
    return { uuid: label(view, 8, 24), facts: { VERSION: ascii(view, 32, 8).replace(/\0.*$/s, '') } };
  }
  return undefined;
}

const intelMark = 'Intel Raid ISM Cfg Sig. ';
const adaptecSignature = 0x4450544d;
const adaptecMagic = 0x37fc4d1e;
const viaMark = 0xaa55;
const siliconMagic = 0x2f000000;
const siliconChecksumAt = 0x13e;

function probeVia(view: DataView): Found | undefined {
  if (view.getUint16(0, true) !== viaMark || view.getUint8(2) > 2) return undefined;
  let sum = 0;
  for (let at = 0; at < 50; at++) sum += view.getUint8(at);
  return (sum & 0xff) === view.getUint8(50) ? { facts: { VERSION: String(view.getUint8(2)) } } : undefined;
}

function probeSilicon(view: DataView): Found | undefined {
  if (view.getUint32(0x60, true) !== siliconMagic || view.getUint8(0x116) >= 8) return undefined;
  let sum = 0;
  for (let at = 0; at < siliconChecksumAt; at += 2) sum += view.getUint16(at, true);
  if ((-sum & 0xffff) !== view.getUint16(siliconChecksumAt, true)) return undefined;
  return { facts: { VERSION: `${view.getUint16(0x10a, true)}.${view.getUint16(0x108, true)}` } };
}

/**
 * Possible places of Promise's signature, in sectors from the end: they depend on the geometry that the adapter saw.
 */
const promisePlaces = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087];
const promiseMark = 'Promise Technology, Inc.';

function probePromise(disk: Disk): Found | undefined {
  for (const back of promisePlaces) {
    const view = fromEnd(disk, back, promiseMark.length);
    if (view === undefined) return undefined;
    if (ascii(view, 0, promiseMark.length) === promiseMark) return {};
  }
  return undefined;
}

const highPointOk = 0x5a7816f0;
const highPointOk45 = 0x5a7816f3;
const highPointBad = 0x5a7816fd;

/** HighPoint's older adapters write near the start. */
function probeHighPoint37(disk: Disk): Found | undefined {
  const mark = viewMaybe(disk, 9 * sectorSize + 32, 4)?.getUint32(0, true);
  return mark === highPointOk || mark === highPointBad ? {} : undefined;
}

export const hostRaids = [
  container('ddf_raid_member', probeDdf, { usage: 'raid', minimumSize: 0x30000 }),
  atEnd('isw_raid_member', 2, 48, (view) =>
    ascii(view, 0, intelMark.length) === intelMark
      ? { facts: { VERSION: ascii(view, intelMark.length, 8).replace(/\0.*$/s, '').padStart(6) } }
      : undefined,
  ),
  atEnd('lsi_mega_raid_member', 1, 6, (view) => (ascii(view, 0, 6) === '$XIDE$' ? {} : undefined)),
  atEnd('via_raid_member', 1, 51, probeVia),
  atEnd('silicon_medley_raid_member', 1, 512, probeSilicon),
  atEnd('nvidia_raid_member', 2, 18, (view) =>
    ascii(view, 0, 6) === 'NVIDIA' ? { facts: { VERSION: String(view.getUint16(16, true)) } } : undefined,
  ),
  container('promise_fasttrack_raid_member', probePromise, {
    usage: 'raid',
    minimumSize: 0x40000,
    wholeDisksOnly: true,
  }),
  atEnd('hpt45x_raid_member', 11, 4, (view) =>
    [highPointOk45, highPointBad].includes(view.getUint32(0, true)) ? {} : undefined,
  ),
  container('hpt37x_raid_member', probeHighPoint37, { usage: 'raid', wholeDisksOnly: true }),
  atEnd('adaptec_raid_member', 1, 512, (view) =>
    view.getUint32(256) === adaptecSignature && view.getUint32(0) === adaptecMagic
      ? { facts: { VERSION: String(view.getUint8(63)) } }
      : undefined,
  ),
  atEnd('jmicron_raid_member', 1, 6, (view) =>
    ascii(view, 0, 2) === 'JM'
      ? { facts: { VERSION: `${view.getUint8(3)}.${view.getUint8(2)}` } }
      : undefined,
  ),
];
