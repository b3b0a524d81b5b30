/**
 * Recognises XFS, its journal on a disk of its own, and Exanet's EXFS, which has the same superblock with another
 * signature, by the rules of blkid (util-linux, libblkid/src/superblocks/xfs.c and exfs.c).
 */
import { decodePadded, formatUuid, readMaybe, trimBlanks, viewOf } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { leastSectorSize, superblock, superblockMagic, superblockSize } from './layout.js';
import { logFormats, logRecord, logRecordMagic } from './log/layout.js';

/** `EXFS`. */
const exfsMagic = 0x45584653;
const isPower = (value: number, log: number, leastLog: number, greatestLog: number): boolean =>
  log >= leastLog && log <= greatestLog && value === 2 ** log;

const leastGroupBlocks = 64n;
const leastRealtimeExtent = 4096;
const greatestRealtimeExtent = 2 ** 30;

/** Whether the numbers of a superblock are consistent. */
function isPlausible(view: DataView): boolean {
  // Field by field: 64-bit numbers are opaque here, and no bytes may make this throw.
  const get = <K extends keyof typeof superblock.fields>(field: K) => superblock.get(view, 0, field);
  const blockSize = get('sb_blocksize');
  if (!isPower(get('sb_sectsize'), get('sb_sectlog'), 9, 15)) return false;
  if (!isPower(blockSize, get('sb_blocklog'), 9, 16)) return false;
  if (!isPower(get('sb_inodesize'), get('sb_inodelog'), 8, 11)) return false;
  if (get('sb_blocklog') - get('sb_inodelog') !== get('sb_inopblog')) return false;
  const realtimeExtent = Math.imul(get('sb_rextsize'), blockSize) >>> 0;
  if (realtimeExtent < leastRealtimeExtent || realtimeExtent > greatestRealtimeExtent) return false;
  if (get('sb_imax_pct') > 100) return false;
  const groups = BigInt(get('sb_agcount'));
  const groupBlocks = BigInt(get('sb_agblocks'));
  const blocks = view.getBigUint64(superblock.fields.sb_dblocks.at);
  if (groups === 0n || blocks === 0n) return false;
  return blocks <= groups * groupBlocks && blocks >= (groups - 1n) * groupBlocks + leastGroupBlocks;
}

function uuidText(uuid: Uint8Array): string {
  return uuid.every((byte) => byte === 0) ? '' : formatUuid(uuid);
}

function probeSuperblock(
  disk: Disk,
  type: string,
  magic: number,
  blockSizeField: 'sb_sectsize' | 'sb_blocksize',
): Probed | undefined {
  const bytes = readMaybe(disk, 0, superblockSize);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  if (superblock.get(view, 0, 'sb_magicnum') !== magic || !isPlausible(view)) return undefined;
  const { at, length } = superblock.fields.sb_fname;
  return {
    type,
    label: trimBlanks(decodePadded(bytes.subarray(at, at + length))),
    uuid: uuidText(superblock.get(view, 0, 'sb_uuid')),
    facts: { BLOCK_SIZE: String(superblock.get(view, 0, blockSizeField)), USAGE: 'filesystem' },
  };
}

export const probeXfs = (disk: Disk): Probed | undefined =>
  probeSuperblock(disk, 'xfs', superblockMagic, 'sb_sectsize');
export const probeExfs = (disk: Disk): Probed | undefined =>
  probeSuperblock(disk, 'exfs', exfsMagic, 'sb_blocksize');

/** The largest record, in which a header must be. */
const mostLogSectors = 512;
const greatestLogVersion = 3;

/**
 * A journal alone. Each sector begins with the signature of a record, or with the number of the cycle in which it was
 * written: a sector that begins otherwise ends the search.
 */
export function probeExternalLog(disk: Disk): Probed | undefined {
  let round: number | undefined;
  for (let sector = 0; sector < mostLogSectors; sector++) {
    const bytes = readMaybe(disk, sector * leastSectorSize, leastSectorSize);
    if (bytes === undefined) return undefined;
    const view = viewOf(bytes);
    const first = logRecord.get(view, 0, 'h_magicno');
    if (first === logRecordMagic) {
      const version = logRecord.get(view, 0, 'h_version');
      const length = logRecord.get(view, 0, 'h_len') | 0;
      if (version < 1 || version > greatestLogVersion || length <= 0) return undefined;
      if (!Object.values<number>(logFormats).includes(logRecord.get(view, 0, 'h_fmt'))) return undefined;
      const uuid = uuidText(logRecord.get(view, 0, 'h_fs_uuid'));
      return {
        type: 'xfs_external_log',
        label: '',
        uuid: '',
        facts: { ...(uuid === '' ? {} : { LOGUUID: uuid }), USAGE: 'other' },
      };
    }
    round ??= first;
    if (first === 0 || first !== round) return undefined;
  }
  return undefined;
}
