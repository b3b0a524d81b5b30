/**
 * Recognises FAT and finds its label and serial number. The rules are those of blkid (util-linux 2.38, `vfat`), so
 * the answers agree: the label is the entry with the volume attribute in the root directory. The copy in the boot
 * sector is ignored, because most tools do not update it.
 */
import { decodeLatin1, decodePadded, isPowerOfTwo, readMaybe, trimBlanks } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import {
  attrDirectory,
  attrLongName,
  attrLongNameMask,
  attrVolumeId,
  bootSector,
  bootSigFull,
  bootSigShort,
  directoryEntry,
  entrySize,
  extended16,
  extended32,
  fsInfo,
  fsInfoLeadSignature,
  fsInfoStructureSignature,
  maxClusters12,
  maxClusters16,
  nameDeleted,
  nameEnd,
  nameKanji,
} from './layout.js';

/** The largest cluster count that blkid accepts for FAT32. */
const maxProbed32 = 0x0ffffff6;
/** How many clusters of FAT32's root directory are searched for a label. */
const maxLabelClusters = 99;
/** `RRdA`, which some formatters write instead of `RRaA`. */
const fsInfoLeadVariant = 0x41645252;

/** Words in a boot sector that mean "no label". */
const noName = 'NO NAME    ';

/** Whether the sector may be FAT's, by its text, or at least by the jump and the signature at its end. */
function hasSignature(sector: Uint8Array): boolean {
  const name16 = decodeLatin1(sector.subarray(54, 62));
  const name32 = decodeLatin1(sector.subarray(82, 90));
  if (name32.startsWith('MSWIN') || name32 === 'FAT32   ' || name16.startsWith('MSDOS')) return true;
  if (name16 === 'FAT16   ' || name16 === 'FAT12   ' || name16 === 'FAT     ') return true;
  // OS/2's filesystems have a boot sector like FAT's, except for these names.
  return sector[510] === 0x55 && sector[511] === 0xaa && name16 !== 'JFS     ' && name16 !== 'HPFS    ';
}

/** Whether an entry that is in use is the label of its volume. */
export function isLabel({
  attr,
  fst_clus_hi,
  fst_clus_lo,
}: ReturnType<typeof directoryEntry.decode>): boolean {
  if (fst_clus_hi !== 0 || fst_clus_lo !== 0 || (attr & attrLongNameMask) === attrLongName) return false;
  return (attr & (attrVolumeId | attrDirectory)) === attrVolumeId;
}

/** The label in a piece of a root directory; `'end'` if the directory ends in it. */
function findLabel(piece: Uint8Array): Uint8Array | 'end' | undefined {
  for (let at = 0; at + entrySize <= piece.length; at += entrySize) {
    const entry = directoryEntry.decode(piece, at);
    const lead = piece[at];
    if (lead === nameEnd) return 'end';
    if (lead === nameDeleted || !isLabel(entry)) continue;
    const label = entry.name;
    if (label[0] === nameKanji) label[0] = 0xe5;
    return label;
  }
  return undefined;
}

/** A label's text without trailing blanks. */
function labelText(raw: Uint8Array | undefined): string {
  return raw === undefined ? '' : trimBlanks(decodePadded(raw));
}

function formatSerial(serial: number): string {
  if (serial === 0) return '';
  const hex = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/** Looks for FAT on a disk. Never throws. */
export function probe(disk: Disk): Probed | undefined {
  const sector = readMaybe(disk, 0, bootSector.size);
  if (sector === undefined || !hasSignature(sector)) return undefined;
  const boot = bootSector.decode(sector);
  const sectorSize = boot.byts_per_sec;
  if (boot.num_fats === 0 || boot.rsvd_sec_cnt === 0) return undefined;
  if (boot.media < 0xf8 && boot.media !== 0xf0) return undefined;
  if (!isPowerOfTwo(boot.sec_per_clus)) return undefined;
  if (!isPowerOfTwo(sectorSize) || sectorSize < 512 || sectorSize > 4096) return undefined;

  const tail16 = extended16.decode(sector);
  const tail32 = extended32.decode(sector);
  const tableSectors = boot.fat_sz16 || tail32.fat_sz32;
  const totalSectors = boot.tot_sec16 || boot.tot_sec32;
  const rootStart = boot.rsvd_sec_cnt + boot.num_fats * tableSectors;
  const dataStart = rootStart + Math.ceil((boot.root_ent_cnt * entrySize) / sectorSize);
  const clusters = Math.floor((totalSectors - dataStart) / boot.sec_per_clus);
  if (clusters < 0) return undefined;
  const isFat32 = boot.fat_sz16 === 0 && tail32.fat_sz32 !== 0;
  if (clusters > (isFat32 ? maxProbed32 : clusters > maxClusters12 ? maxClusters16 : maxClusters12)) {
    return undefined;
  }

  let label: Uint8Array | 'end' | undefined;
  if (isFat32) {
    if (!fsInfoIsPlausible(disk, tail32.fs_info * sectorSize)) return undefined;
    label = findLabel32(disk, tail32.root_clus, {
      clusterSize: boot.sec_per_clus * sectorSize,
      dataOffset: rootStart * sectorSize,
      tableOffset: boot.rsvd_sec_cnt * sectorSize,
      entries: Math.floor((tableSectors * sectorSize) / 4),
    });
  } else {
    const rootOffset = rootStart * sectorSize;
    const available = Math.max(0, Math.min(boot.root_ent_cnt * entrySize, disk.size - rootOffset));
    const root = readMaybe(disk, rootOffset, available);
    label = root && findLabel(root);
  }

  const facts: Record<string, string> = {};
  // blkid reports a FAT without tables, of no version; opening it fails.
  if (tableSectors === 0)
    return {
      type: 'vfat',
      label: '',
      uuid: '',
      facts: { BLOCK_SIZE: String(sectorSize), USAGE: 'filesystem' },
    };
  const tail = isFat32 ? tail32 : tail16;
  const bootLabel = tail.boot_sig === bootSigFull ? labelText(tail.vol_lab) : '';
  const hasSerial = isFat32 || tail.boot_sig === bootSigFull || tail.boot_sig === bootSigShort;
  if (!isFat32) facts.SEC_TYPE = 'msdos';
  if (bootLabel !== '' && decodeLatin1(tail.vol_lab) !== noName) facts.LABEL_FATBOOT = bootLabel;
  if (isFat32) facts.VERSION = 'FAT32';
  else if (clusters < maxClusters12) facts.VERSION = 'FAT12';
  else if (clusters < maxClusters16) facts.VERSION = 'FAT16';
  facts.BLOCK_SIZE = String(sectorSize);
  facts.USAGE = 'filesystem';
  return {
    type: 'vfat',
    label: labelText(label === 'end' ? undefined : label),
    uuid: hasSerial ? formatSerial(tail.vol_id) : '',
    facts,
  };
}

/** Whether the FSInfo sector has its signatures, or zeroes in their places. Offset 0 means that there is none. */
function fsInfoIsPlausible(disk: Disk, offset: number): boolean {
  if (offset === 0) return true;
  const sector = readMaybe(disk, offset, fsInfo.size);
  if (sector === undefined) return false;
  const { lead_sig, struc_sig } = fsInfo.decode(sector);
  return (
    [fsInfoLeadSignature, fsInfoLeadVariant, 0].includes(lead_sig) &&
    [fsInfoStructureSignature, 0].includes(struc_sig)
  );
}

/** The label in FAT32's root directory, whose clusters are followed for a bounded length. */
function findLabel32(
  disk: Disk,
  root: number,
  places: { clusterSize: number; dataOffset: number; tableOffset: number; entries: number },
): Uint8Array | 'end' | undefined {
  let cluster = root;
  for (let i = 0; i < maxLabelClusters && cluster >= 2 && cluster < places.entries; i++) {
    const piece = readMaybe(disk, places.dataOffset + (cluster - 2) * places.clusterSize, places.clusterSize);
    if (piece === undefined) return undefined;
    const label = findLabel(piece);
    // As in blkid, the end of the entries in one cluster does not end the search.
    if (label !== undefined && label !== 'end') return label;
    const next = readMaybe(disk, places.tableOffset + cluster * 4, 4);
    if (next === undefined) return undefined;
    cluster = new DataView(next.buffer).getUint32(0, true) & 0x0fffffff;
  }
  return undefined;
}
