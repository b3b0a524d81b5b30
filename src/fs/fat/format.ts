/**
 * A new FAT volume, with the choices of mkfs.fat 4.2 (dosfstools): FAT32 from 512 MiB on, below that FAT12 or FAT16,
 * whichever has more clusters; structures of a whole number of clusters.
 */
import { GuestfsError, isPowerOfTwo } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { encodeTime } from '../dos-times.js';
import type { Time } from '../inode-facts.js';
import { encodeLabel } from './label.js';
import {
  attrVolumeId,
  bootCode,
  bootCode16,
  bootCode32,
  bootSector,
  bootSigFull,
  bootSignature,
  directoryEntry,
  entryMask,
  entrySize,
  extended16,
  extended32,
  firstDrive,
  fixedMedia,
  formatLimits,
  fsInfo,
  fsInfoLeadSignature,
  fsInfoStructureSignature,
  fsInfoTrailSignature,
  jump16,
  jump32,
} from './layout.js';

type Bits = 12 | 16 | 32;

export interface FatFormatOptions {
  /** In bytes: 512 to 4096. Default: the disk's. */
  readonly sectorSize?: number;
  /** Sectors of a cluster: a power of two up to 128. Default: by the size. */
  readonly sectorsPerCluster?: number;
  /** Default: by the size. */
  readonly bits?: Bits;
  /** Of the root directory of FAT12 and FAT16: whole sectors of them. Default: 512. */
  readonly rootEntries?: number;
  /** Of at most eleven characters. */
  readonly label?: string;
  /** The number that is shown as UUID. */
  readonly serial: number;
  /** Sectors of the disk before the volume. */
  readonly hiddenSectors?: number;
  /** When the label was made. */
  readonly now: Time;
}

const mebibyte = 1024 * 1024;
/** Of the root directory of FAT12 and FAT16, where no more are wanted. */
const usualRootEntries = 512;
const tableCount = 2;
/** A volume has at most so many sectors. */
export const largestSectors = 0xffff_ffff;
/** Where the copy of FAT32's boot sector is, and where its FSInfo sector. */
const backupSector = 6;
const infoSector = 1;
const rootCluster = 2;

/** Heads and sectors of a track by the size in units of 2048 sectors, as for memory cards (SD specification, part 2). */
const geometries: readonly (readonly [size: number, heads: number, perTrack: number])[] = [
  [2, 2, 16],
  [16, 2, 32],
  [32, 4, 32],
  [128, 8, 32],
  [256, 16, 32],
  [504, 16, 63],
  [1008, 32, 63],
  [2016, 64, 63],
  [4032, 128, 63],
];

function geometryOf(sectors: number): { readonly heads: number; readonly perTrack: number } {
  const [, heads = 255, perTrack = 63] = geometries.find(([most]) => sectors <= most * 2048) ?? [];
  return { heads, perTrack };
}

type ShapeOptions = Pick<FatFormatOptions, 'bits' | 'sectorsPerCluster' | 'rootEntries'>;

/** What a volume is to be. Sizes in sectors. */
interface Shape {
  readonly bits: Bits;
  readonly perCluster: number;
  readonly reserved: number;
  readonly rootSectors: number;
  readonly tableSectors: number;
  readonly clusters: number;
}

/** Up to so many sectors mkfs.fat does not align structures. */
const smallSectors = 8192;

const roundUp = (count: number, unit: number): number => Math.ceil(count / unit) * unit;

/** Sectors of a cluster where the search for a fitting size begins. */
function firstGuess(bits: Bits | undefined, bytes: number): number {
  if (bits !== 32) return 4;
  const mebibytes = Math.floor(bytes / mebibyte);
  if (mebibytes >= 32 * 1024) return 64;
  if (mebibytes >= 16 * 1024) return 32;
  if (mebibytes >= 8 * 1024) return 16;
  return mebibytes >= 260 ? 8 : 1;
}

/** The shape of one type with clusters of a size; undefined where that has too many clusters, or too few. */
function shapeOf(
  bits: Bits,
  perCluster: number,
  sectors: number,
  sectorSize: number,
  { bits: wanted, rootEntries = usualRootEntries }: ShapeOptions,
): Shape | undefined {
  const unit = sectors > smallSectors ? perCluster : 1;
  const reserved = roundUp(bits === 32 ? 32 : 1, unit);
  const rootSectors = bits === 32 ? 0 : roundUp(Math.ceil((rootEntries * entrySize) / sectorSize), unit);
  const room = sectors - reserved - rootSectors;
  if (room <= 0) return undefined;
  // Half bytes, so that the entries of FAT12 are whole.
  const halves = bits / 4;
  const guess = Math.floor(
    (2 * room * sectorSize + tableCount * halves * 2) / (2 * perCluster * sectorSize + tableCount * halves),
  );
  const tableSectors = roundUp(Math.ceil(Math.ceil(((guess + 2) * bits) / 8) / sectorSize), unit);
  const clusters = Math.floor((room - tableCount * tableSectors) / perCluster);
  const { least, most } = formatLimits[bits];
  const described = Math.floor((tableSectors * sectorSize * 8) / bits);
  if (clusters < 1 || clusters > Math.min(most, described)) return undefined;
  if (clusters < least && !(bits === 32 && wanted === 32)) return undefined;
  return { bits, perCluster, reserved, rootSectors, tableSectors, clusters };
}

/** Sectors of the volume on a disk with so many: a volume has whole tracks. */
export function wholeTracks(sectors: number): number {
  return sectors - (sectors % geometryOf(sectors).perTrack);
}

/** Undefined where no volume has that size. */
export function chooseShape(sectors: number, sectorSize: number, options: ShapeOptions): Shape | undefined {
  const bytes = sectors * sectorSize;
  const bits = options.bits ?? (bytes >= 512 * mebibyte ? 32 : undefined);
  const given = options.sectorsPerCluster;
  for (let perCluster = given ?? firstGuess(bits, bytes); perCluster <= (given ?? 128); perCluster *= 2) {
    const shapes = (bits === undefined ? ([16, 12] as const) : [bits]).flatMap(
      (each) => shapeOf(each, perCluster, sectors, sectorSize, options) ?? [],
    );
    const best = shapes.reduce<Shape | undefined>(
      (most, each) => (most === undefined || each.clusters > most.clusters ? each : most),
      undefined,
    );
    if (best !== undefined) return best;
  }
  return undefined;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Checks what is asked for, and returns what makes a volume that fills the disk. EINVAL. */
export function planFat(disk: Disk, options: FatFormatOptions): () => void {
  const sectorSize = options.sectorSize ?? disk.sectorSize;
  const { sectorsPerCluster: given } = options;
  if (!isPowerOfTwo(sectorSize) || sectorSize < 512 || sectorSize > 4096)
    throw new GuestfsError('EINVAL', `FAT has no sectors of ${sectorSize} bytes`);
  if (given !== undefined && (!isPowerOfTwo(given) || given > 128))
    throw new GuestfsError('EINVAL', `FAT has no clusters of ${given} sectors`);
  const sectors = wholeTracks(Math.min(Math.floor(disk.size / sectorSize), largestSectors));
  const shape = chooseShape(sectors, sectorSize, options);
  if (shape === undefined)
    throw new GuestfsError(
      'EINVAL',
      `a FAT volume cannot have ${sectors * sectorSize} bytes with clusters of that size`,
    );
  const label = encodeLabel(options.label ?? 'NO NAME');
  return () => format(disk, shape, { ...options, sectors, sectorSize }, label);
}

function format(
  disk: Disk,
  shape: Shape,
  options: FatFormatOptions & { readonly sectors: number; readonly sectorSize: number },
  label: Uint8Array,
): void {
  const { sectors, sectorSize } = options;
  const { reserved, rootSectors, tableSectors, perCluster } = shape;
  const dataSector = reserved + tableCount * tableSectors + rootSectors;
  const cleared = (dataSector + (shape.bits === 32 ? perCluster : 0)) * sectorSize;
  disk.checkWritable(0, cleared);
  disk.zero(0, cleared);
  const table = firstEntries(shape.bits);
  for (let copy = 0; copy < tableCount; copy++)
    disk.write(table, (reserved + copy * tableSectors) * sectorSize);
  if (options.label !== undefined) {
    const root = shape.bits === 32 ? dataSector : dataSector - rootSectors;
    disk.write(labelEntry(label, options.now), root * sectorSize);
  }
  const boot = bootBytes(shape, sectors, sectorSize, label, options);
  if (shape.bits === 32) {
    const info = infoBytes(shape);
    disk.write(boot, backupSector * sectorSize);
    disk.write(info, (backupSector + infoSector) * sectorSize);
    disk.write(info, infoSector * sectorSize);
  }
  disk.flush();
  // Last: what makes it a volume.
  disk.write(boot, 0);
  disk.flush();
}

/** The entries that are no clusters, and of FAT32 the root directory's. */
function firstEntries(bits: Bits): Uint8Array {
  const last = entryMask[bits];
  const table = new Uint8Array(bits === 32 ? 12 : bits === 16 ? 4 : 3).fill(0xff);
  table[0] = fixedMedia;
  if (bits === 32) {
    const view = new DataView(table.buffer);
    const at = [0, 4, 8] as const;
    view.setUint32(at[0], last - 0xff + fixedMedia, true);
    view.setUint32(at[1], last, true);
    view.setUint32(at[2], last - 0xff + fixedMedia, true);
  }
  return table;
}

function labelEntry(label: Uint8Array, now: Time): Uint8Array {
  const { date, time } = encodeTime(now, 0);
  return directoryEntry.encode({ name: label, attr: attrVolumeId, wrt_date: date, wrt_time: time });
}

function infoBytes({ clusters }: Shape): Uint8Array {
  return fsInfo.encode({
    lead_sig: fsInfoLeadSignature,
    struc_sig: fsInfoStructureSignature,
    free_count: clusters - 1,
    nxt_free: rootCluster,
    trail_sig: fsInfoTrailSignature,
  });
}

function bootBytes(
  shape: Shape,
  sectors: number,
  sectorSize: number,
  label: Uint8Array,
  { serial, hiddenSectors = 0 }: FatFormatOptions,
): Uint8Array {
  const { bits, perCluster, reserved, rootSectors, tableSectors } = shape;
  const isWide = bits === 32;
  const isShort = sectors < 0x10000 && !isWide;
  const { heads, perTrack } = geometryOf(sectors);
  const bytes = bootSector.encode({
    jmp_boot: isWide ? jump32 : jump16,
    oem_name: ascii('MSDOS5.0'),
    byts_per_sec: sectorSize,
    sec_per_clus: perCluster,
    rsvd_sec_cnt: reserved,
    num_fats: tableCount,
    root_ent_cnt: (rootSectors * sectorSize) / entrySize,
    tot_sec16: isShort ? sectors : 0,
    media: fixedMedia,
    fat_sz16: isWide ? 0 : tableSectors,
    sec_per_trk: perTrack,
    num_heads: heads,
    hidd_sec: Math.min(hiddenSectors, 0xffff_ffff),
    tot_sec32: isShort ? 0 : sectors,
    signature: bootSignature,
  });
  const common = { drv_num: firstDrive, boot_sig: bootSigFull, vol_id: serial, vol_lab: label };
  const name = ascii(`FAT${bits}   `);
  if (isWide)
    extended32.encode(
      {
        ...common,
        fat_sz32: tableSectors,
        root_clus: rootCluster,
        fs_info: infoSector,
        bk_boot_sec: backupSector,
        fil_sys_type: name,
      },
      bytes,
    );
  else extended16.encode({ ...common, fil_sys_type: name }, bytes);
  bytes.set(bootCode, isWide ? bootCode32 : bootCode16);
  return bytes;
}
