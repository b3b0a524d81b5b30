/**
 * The defaults of mke2fs 1.47 by type, size and use: its /etc/mke2fs.conf, and what it has built in. Specification:
 * mke2fs(8) and mke2fs.conf(5).
 */
import { GuestfsError, isPowerOfTwo } from '../../../base/index.js';
import { compat, editFeatures, type FeatureMasks, incompat, roCompat } from '../features.js';
import { has } from '../superblock.js';
import type { FormatOptions } from './options.js';

/** What a type of filesystem or use has otherwise than the others. */
interface Defaults {
  readonly features?: string;
  readonly blockSize?: number;
  readonly inodeSize?: number;
  readonly bytesPerInode?: number;
}

const baseFeatures = 'sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr';
const defaultsOf: Readonly<Record<string, Defaults>> = {
  ext3: { features: 'has_journal' },
  ext4: { features: 'has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize' },
  small: { blockSize: 1024, bytesPerInode: 4096 },
  floppy: { blockSize: 1024, bytesPerInode: 8192 },
  big: { bytesPerInode: 32768 },
  huge: { bytesPerInode: 65536 },
  news: { bytesPerInode: 4096 },
  largefile: { bytesPerInode: 1048576, blockSize: 4096 },
  largefile4: { bytesPerInode: 4194304, blockSize: 4096 },
  hurd: { blockSize: 4096, inodeSize: 128 },
};
const ordinary = { blockSize: 4096, inodeSize: 256, bytesPerInode: 16384, reservedPercent: 5 };

/** Blocks of a cluster, with bigalloc. */
export const defaultClusterBlocks = 16;

/** `s_creator_os`, by the names that mke2fs takes. */
const creators: ReadonlyMap<string, number> = new Map([
  ['linux', 0],
  ['hurd', 1],
  ['masix', 2],
  ['freebsd', 3],
  ['lites', 4],
]);
const mostCreator = 0xffff_ffff;

/** What is to be made, before the groups are counted. */
export interface Profile {
  readonly features: FeatureMasks;
  readonly creator: number;
  readonly blockSize: number;
  /** As asked for: a last group that is too small for its tables is left out later. */
  readonly blockCount: number;
  readonly inodeSize: number;
  readonly inodeCount: number;
  readonly reservedBlocks: number;
  readonly groupsPerFlex: number;
}

function refuse(problem: string): never {
  throw new GuestfsError('EINVAL', problem);
}

/** The types of use that the size of a filesystem implies; `size` in bytes. */
function usageOf(size: number): string {
  const mebibyte = 2 ** 20;
  if (size < 3 * mebibyte) return 'floppy';
  if (size < 512 * mebibyte) return 'small';
  if (size < 4 * 2 ** 40) return '';
  return size < 16 * 2 ** 40 ? 'big' : 'huge';
}

function creatorOf(name: string | undefined): number {
  if (name === undefined) return 0;
  const known = creators.get(name.toLowerCase()) ?? (name === 'GNU' ? 1 : undefined);
  if (known !== undefined) return known;
  return /^[0-9]+$/.test(name) && Number(name) <= mostCreator ? Number(name) : refuse(`unknown os - ${name}`);
}

/** The defaults that apply, in the order in which later ones win. */
function typesOf(options: FormatOptions, size: number, creator: number): Defaults[] {
  const uses = (options.usage ?? usageOf(size))
    .split(',')
    .filter((name) => name !== '' && name !== 'default');
  if (creator === 1) uses.push('hurd');
  return [options.type, ...uses].map((name) => defaultsOf[name] ?? {});
}

function lastOf<K extends keyof Defaults>(types: readonly Defaults[], key: K): Defaults[K] | undefined {
  return types.findLast((type) => type[key] !== undefined)?.[key];
}

function featuresOf(options: FormatOptions, types: readonly Defaults[], creator: number): FeatureMasks {
  let masks = editFeatures({ compat: 0, incompat: 0, roCompat: 0 }, baseFeatures);
  for (const { features } of types) masks = editFeatures(masks, features ?? '');
  masks = editFeatures(masks, options.features ?? '');
  let { compat: c, incompat: i, roCompat: r } = masks;
  if (options.journalSize !== undefined || options.journal !== undefined) c |= compat.hasJournal;
  if (has(i, incompat.journalDevice)) {
    return {
      compat: c & compat.fastCommit,
      incompat: incompat.journalDevice,
      roCompat: r & roCompat.metadataChecksums,
    };
  }
  if (creator === 1) {
    // What the Hurd does not know is left out in silence, as in mke2fs.
    i &= ~incompat.filetype;
    r &= ~(roCompat.hugeFile | roCompat.metadataChecksums);
  }
  if (has(r, roCompat.metadataChecksums)) r &= ~roCompat.groupChecksums;
  if (options.growsTo !== undefined) c |= compat.resizeInode;
  return { compat: c, incompat: i, roCompat: r };
}

function checkFeatures({ compat: c, incompat: i, roCompat: r }: FeatureMasks): void {
  if (has(i, incompat.metaGroups) && has(c, compat.resizeInode))
    refuse('the features resize_inode and meta_bg cannot both be enabled');
  if (has(c, compat.resizeInode) && !has(r, roCompat.sparseSuper))
    refuse('reserved online resize blocks are not supported on a filesystem without sparse_super');
  if (has(i, incompat.sixtyFourBit) && !has(i, incompat.extents))
    refuse('extents must be enabled for a filesystem with the feature 64bit');
  if (has(r, roCompat.bigalloc) && !has(i, incompat.extents))
    refuse('the feature bigalloc needs the feature extent');
  if (has(i, incompat.checksumSeed) && !has(r, roCompat.metadataChecksums))
    refuse('the feature metadata_csum_seed needs the feature metadata_csum');
  if (has(c, compat.orphanFile) && !has(c, compat.hasJournal))
    refuse('the feature orphan_file needs the feature has_journal');
}

/** The block size. Blocks are never smaller than the sectors of the disk. */
function blockSizeOf(options: FormatOptions, types: readonly Defaults[], sectorSize: number): number {
  if (options.blockSize !== undefined) {
    const size = options.blockSize;
    if (!isPowerOfTwo(size) || size < 1024 || size > 65536) refuse(`invalid block size - ${size}`);
    if (size < sectorSize)
      refuse(`blocks of ${size} bytes are too small for a disk with sectors of ${sectorSize}`);
    return size;
  }
  return Math.max(sectorSize, lastOf(types, 'blockSize') ?? ordinary.blockSize);
}

/** Chooses and checks what does not depend on the groups. `diskSize` and `sectorSize` are in bytes. EINVAL. */
export function chooseProfile(options: FormatOptions, diskSize: number, sectorSize: number): Profile {
  const unit = options.blockSize ?? 1024;
  let size = (options.blockCount ?? 0) * unit;
  if (size > diskSize) refuse(`a filesystem of ${size} bytes is larger than the device of ${diskSize} bytes`);
  if (size === 0) size = Math.floor(diskSize / unit) * unit;
  // Without a count, the rest behind the last whole page of the processor is left out.
  if ((options.blockCount ?? 0) === 0 && unit < 4096) size -= size % 4096;
  const creator = creatorOf(options.creator);
  const types = typesOf(options, size, creator);
  const features = featuresOf(options, types, creator);
  const isJournal = has(features.incompat, incompat.journalDevice);
  checkFeatures(features);
  const blockSize = blockSizeOf(options, types, sectorSize);
  const blockCount = Math.floor(size / blockSize);
  const masks = { ...features };
  if (blockCount > 0xffff_ffff) {
    if (!has(masks.incompat, incompat.sixtyFourBit))
      refuse('a filesystem of 2^32 blocks needs the feature 64bit');
    if (has(masks.compat, compat.resizeInode)) masks.compat &= ~compat.resizeInode;
  }
  const inodeSize = options.inodeSize ?? lastOf(types, 'inodeSize') ?? ordinary.inodeSize;
  if (!isPowerOfTwo(inodeSize) || inodeSize < 128 || inodeSize > blockSize)
    refuse(`invalid inode size ${inodeSize} (min 128/max ${blockSize})`);
  const unitSize = has(masks.roCompat, roCompat.bigalloc) ? blockSize * defaultClusterBlocks : blockSize;
  const percent = isJournal ? 0 : (options.reservedPercent ?? ordinary.reservedPercent);
  if (percent > 50) refuse(`invalid reserved blocks percent - ${percent}`);
  return {
    features: masks,
    creator,
    blockSize,
    blockCount,
    inodeSize,
    inodeCount: isJournal ? 0 : inodeCountOf(options, types, { blockSize, blockCount, inodeSize, unitSize }),
    reservedBlocks: Math.floor((percent * blockCount) / 100),
    groupsPerFlex: flexOf(options, features),
  };
}

interface InodeShare {
  readonly blockSize: number;
  readonly blockCount: number;
  readonly inodeSize: number;
  /** Bytes of a cluster. */
  readonly unitSize: number;
}

function inodeCountOf(
  options: FormatOptions,
  types: readonly Defaults[],
  { blockSize, blockCount, inodeSize, unitSize }: InodeShare,
): number {
  const asked = options.bytesPerInode;
  if (asked !== undefined && (asked < 1024 || asked > 67108864))
    refuse(`invalid inode ratio ${asked} (min 1024/max 67108864)`);
  const ratio = asked ?? Math.max(unitSize, lastOf(types, 'bytesPerInode') ?? ordinary.bytesPerInode);
  const count = options.inodeCount || Math.floor((blockCount * blockSize) / ratio);
  if (count > 0xffff_ffff) refuse(`too many inodes (${count}), raise inode ratio`);
  if (count * inodeSize >= blockCount * blockSize)
    refuse(`${count} inodes of ${inodeSize} bytes are too many for a filesystem with ${blockCount} blocks`);
  return count;
}

function flexOf({ groupsPerFlex }: FormatOptions, { incompat: i }: FeatureMasks): number {
  if (groupsPerFlex === undefined || groupsPerFlex === 0) return has(i, incompat.flexGroups) ? 16 : 1;
  if (!has(i, incompat.flexGroups))
    refuse('the feature flex_bg is not enabled, so its size may not be specified');
  if (!isPowerOfTwo(groupsPerFlex)) refuse('the flex_bg size must be a power of two');
  return groupsPerFlex;
}
