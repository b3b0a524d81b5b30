/**
 * Recognises XFS: its superblock ("XFS Algorithms & Data Structures", 3rd edition, 13), its journal on a disk of its
 * own (the same, 15), and Exanet's EXFS, which has the same superblock with another signature. Big-endian.
 */
import type { Disk } from '../../disk/index.js';
import { ascii, type Found, label, signature, uuid, viewMaybe } from './signature.js';

const isPower = (value: number, log: number, leastLog: number, greatestLog: number): boolean =>
  log >= leastLog && log <= greatestLog && value === 2 ** log;

const minGroupBlocks = 64n;
const minRealtimeExtent = 4096;
const maxRealtimeExtent = 2 ** 30;

/** Whether the numbers of a superblock are consistent. */
function isPlausible(view: DataView): boolean {
  const blockSize = view.getUint32(4);
  const blockLog = view.getUint8(120);
  const inodeLog = view.getUint8(122);
  if (!isPower(view.getUint16(102), view.getUint8(121), 9, 15)) return false;
  if (!isPower(blockSize, blockLog, 9, 16)) return false;
  if (!isPower(view.getUint16(104), inodeLog, 8, 11)) return false;
  if (blockLog - inodeLog !== view.getUint8(123)) return false;
  const realtimeExtent = Math.imul(view.getUint32(80), blockSize) >>> 0;
  if (realtimeExtent < minRealtimeExtent || realtimeExtent > maxRealtimeExtent) return false;
  if (view.getUint8(127) > 100) return false; // the share of inodes, in percent
  const groups = BigInt(view.getUint32(88));
  const groupBlocks = BigInt(view.getUint32(84));
  const blocks = view.getBigUint64(8);
  if (groups === 0n || blocks === 0n) return false;
  return blocks <= groups * groupBlocks && blocks >= (groups - 1n) * groupBlocks + minGroupBlocks;
}

function probeSuperblock(mark: string, blockSizeOf: (view: DataView) => number) {
  return (disk: Disk): Found | undefined => {
    const view = viewMaybe(disk, 0, 264);
    if (view === undefined || ascii(view, 0, 4) !== mark || !isPlausible(view)) return undefined;
    return {
      label: label(view, 108, 12),
      uuid: uuid(view, 32),
      facts: { BLOCK_SIZE: String(blockSizeOf(view)) },
    };
  };
}

const minLogSize = 10 * 1024 * 1024;
const logMark = 0xfeedbabe;
/** The largest record, in which a header must be. */
const maxLogSectors = 512;
const logFormats = [1, 2, 3];

/**
 * A journal alone. Each sector begins with the signature of a record, or with the number of the cycle in which it was
 * written: a sector that begins otherwise ends the search.
 */
function probeLog(disk: Disk): Found | undefined {
  let round: number | undefined;
  for (let sector = 0; sector < maxLogSectors; sector++) {
    const view = viewMaybe(disk, sector * 512, 512);
    if (view === undefined) return undefined;
    const first = view.getUint32(0);
    if (first === logMark) {
      const version = view.getUint32(8);
      const length = view.getInt32(12);
      if (version >= 1 && version <= 3 && length > 0 && logFormats.includes(view.getUint32(300)))
        return { facts: { LOGUUID: uuid(view, 304) } };
      return undefined;
    }
    round ??= first;
    if (first === 0 || first !== round) return undefined;
  }
  return undefined;
}

export const xfs = [
  signature(
    'xfs',
    probeSuperblock('XFSB', (view) => view.getUint16(102)),
  ),
  signature('xfs_external_log', probeLog, { usage: 'other', minimumSize: minLogSize }),
  signature(
    'exfs',
    probeSuperblock('EXFS', (view) => view.getUint32(4)),
  ),
];
