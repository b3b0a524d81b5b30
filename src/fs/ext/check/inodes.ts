/** All inodes, as e2fsck's first pass sees them: what each is, and which blocks it has. */
import { CorruptError, UnsupportedError, viewOf, work } from '../../../base/index.js';
import type { FileType } from '../../driver.js';
import { blockMapOf } from '../blockmap.js';
import { entryTypeNumber } from '../directory/entries.js';
import { compat, incompat, roCompat } from '../features.js';
import { type Inode, inodeName, setInodeChecksum } from '../inode.js';
import {
  inodeAt as at,
  groupFlags,
  inodeBlockAreaSize,
  inodeFlags,
  plainFlags,
  reservedInodes,
  xattrHeader,
  xattrIndex,
  xattrPrefixes,
} from '../layout.js';
import { has, hasSuperblockCopy, type Superblock } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { valueHash } from '../write/xattr-writer.js';
import { xattrBlockEntries } from '../xattr.js';
import { inodeXattrEntries, type XattrEntry } from '../xattr-entries.js';
import { claimBlocks } from './blocks-of.js';
import type { Claims } from './claims.js';

/** What was found, by the numbers of the inodes. */
export interface Census {
  /** As directory entries have the type; 0 where the inode is free. */
  readonly types: Uint8Array;
  /** As stored. */
  readonly links: Uint16Array;
  readonly directories: readonly number[];
}

/** Three bytes for each here, and some more for directories. */
const mostInodes = 2 ** 26;

const doubleIndirect = 13;
/** Where seconds are, and the bits that extend them. */
const times = [
  [at.i_ctime, at.i_ctime_extra],
  [at.i_mtime, at.i_mtime_extra],
  [at.i_atime, at.i_atime_extra],
  [at.i_crtime, at.i_crtime_extra],
] as const;
const special: ReadonlySet<FileType> = new Set(['block', 'character', 'fifo', 'socket']);

export function takeCensus(volume: ExtVolume, claims: Claims): Census {
  const { superblock, groups } = volume;
  const { inodeCount, inodesPerGroup, groupCount, features, firstInode } = superblock;
  if (inodeCount > mostInodes)
    throw new UnsupportedError('checking an ext filesystem', [`more than ${mostInodes} inodes`], {
      elsewhere: 'appliance',
    });
  const types = new Uint8Array(inodeCount + 1);
  const links = new Uint16Array(inodeCount + 1);
  const directories: number[] = [];
  const survey = new Survey(volume, claims);
  const hasFlags = has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums);
  for (let number = 0; number < groupCount; number++) {
    if (hasFlags && has(groups.get(number).flags, groupFlags.EXT4_BG_INODE_UNINIT)) continue;
    for (let index = 1; index <= inodesPerGroup; index++) {
      const inode = survey.look(number * inodesPerGroup + index);
      if (inode === undefined) continue;
      types[inode.number] = entryTypeNumber(inode.kind, true);
      links[inode.number] = inode.stat.linkCount;
      if (inode.kind === 'directory') directories.push(inode.number);
    }
  }
  survey.checkUsers();
  if (types[reservedInodes.root] !== entryTypeNumber('directory', true) || firstInode > inodeCount)
    throw new CorruptError('ext4 root directory', 'is none');
  return { types, links, directories };
}

class Survey {
  readonly #volume: ExtVolume;
  readonly #claims: Claims;
  readonly #superblock: Superblock;
  /** Of each block of attributes, how many files should have it, and how many do. */
  readonly #users = new Map<number, { readonly stored: number; found: number }>();

  constructor(volume: ExtVolume, claims: Claims) {
    this.#volume = volume;
    this.#claims = claims;
    this.#superblock = volume.superblock;
  }

  /** An inode in use, checked; undefined for a free one. */
  look(number: number): Inode | undefined {
    work.lookups.spend(1);
    const volume = this.#volume;
    const record = viewOf(volume.inodeRecord(number));
    const mode = record.getUint16(at.i_mode, true);
    const isFree = record.getUint16(at.i_links_count, true) === 0;
    const { firstInode, features } = this.#superblock;
    if (number < firstInode && number !== reservedInodes.root && !this.#isReservedInUse(number)) {
      if (mode !== 0 || !isFree || record.getUint32(at.i_blocks_lo, true) !== 0)
        throw new CorruptError(inodeName(number), 'is reserved, and in use');
      checkEmpty(this.#superblock, number, record);
      return undefined;
    }
    if (isFree) {
      if (mode !== 0 && record.getUint32(at.i_dtime, true) === 0)
        throw new CorruptError(inodeName(number), 'is deleted at no time');
      if (mode !== 0) volume.anyInode(number);
      else checkEmpty(this.#superblock, number, record);
      return undefined;
    }
    const inode = volume.anyInode(number);
    this.#checkFields(inode, record);
    if (number === reservedInodes.resize) {
      this.#checkResizeInode(inode);
      return inode;
    }
    const blocks =
      special.has(inode.kind) || isFastLink(inode) ? undefined : claimBlocks(volume, this.#claims, inode);
    const attributes = this.#claimAttributes(inode);
    const units = ((blocks?.all ?? 0) + attributes) * (this.#superblock.blockSize / 512);
    if (inode.stat.blockCount512 !== units)
      throw new CorruptError(inodeName(number), 'counts other blocks than it has', { blocks: units });
    this.#checkShape(inode, blocks);
    if (
      inode.kind === 'file' &&
      inode.stat.sizeInBytes >= 2 ** 31 &&
      !has(features.roCompat, roCompat.largeFile)
    )
      throw new CorruptError(inodeName(number), 'is larger than the filesystem says that files are');
    return inode;
  }

  /** Each block of attributes has as many files as it says. */
  checkUsers(): void {
    for (const [block, { stored, found }] of this.#users)
      if (stored !== found)
        throw new CorruptError(`ext4 xattr block ${block}`, 'counts other files than it has', {
          stored,
          found,
        });
  }

  #isReservedInUse(number: number): boolean {
    const { features } = this.#superblock;
    if (number === reservedInodes.resize) return has(features.compat, compat.resizeInode);
    return number === reservedInodes.journal && has(features.compat, compat.hasJournal);
  }

  #checkFields({ number, kind, flags, attributesAt }: Inode, record: DataView): void {
    const { features, inodeSize } = this.#superblock;
    const wrong = (problem: string): never => {
      throw new CorruptError(inodeName(number), problem, { flags });
    };
    if (record.getUint32(at.i_dtime, true) !== 0) wrong('is in use and was deleted');
    if (record.getUint32(at.i_obso_faddr, true) !== 0) wrong('has a fragment');
    if ((flags & ~plainFlags) !== 0) wrong('has flags that are not checked here');
    if (has(flags, inodeFlags.EXT4_EXTENTS_FL) && !has(features.incompat, incompat.extents))
      wrong('has extents, which the filesystem has not');
    if (
      has(flags, inodeFlags.EXT4_INDEX_FL) &&
      (kind !== 'directory' || !has(features.compat, compat.dirIndex))
    )
      wrong('has an index, and is none');
    const isFixed = has(flags, inodeFlags.EXT4_IMMUTABLE_FL | inodeFlags.EXT4_APPEND_FL);
    if (isFixed && kind !== 'file' && kind !== 'directory') wrong('is fixed, and is no file');
    if (!has(features.roCompat, roCompat.hugeFile) && record.getUint16(at.i_blocks_high, true) !== 0)
      wrong('has more blocks than the filesystem says that files have');
    if (!has(features.incompat, incompat.sixtyFourBit) && record.getUint16(at.i_file_acl_high, true) !== 0)
      wrong('has attributes outside the filesystem');
    if (kind !== 'file' && record.getUint32(at.i_size_high, true) !== 0)
      wrong('has a size that is too large');
    for (const [seconds, extra] of times)
      if (
        extra + 4 <= Math.min(attributesAt, inodeSize) &&
        record.getInt32(seconds, true) < 0 &&
        (record.getUint32(extra, true) & 3) === 3
      )
        wrong('has a time that old kernels wrote wrong');
  }

  #checkShape(inode: Inode, blocks: ReturnType<typeof claimBlocks> | undefined): void {
    const { number, kind } = inode;
    const { sizeInBytes: size } = inode.stat;
    const { blockSize } = this.#superblock;
    const wrong = (problem: string): never => {
      throw new CorruptError(inodeName(number), problem, { size });
    };
    if (blocks === undefined && kind !== 'symlink') {
      // Device numbers take two words; the rest is empty.
      if (size !== 0 || has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) wrong('has contents, and is no file');
      if (inode.blockArea.subarray(8).some((byte) => byte !== 0)) wrong('has blocks, and is no file');
    } else if (kind === 'symlink') {
      const isOneBlock = blocks === undefined || (blocks.data === 1 && blocks.end === 1 && blocks.all === 1);
      if (!isOneBlock || size === 0 || size >= (blocks === undefined ? inodeBlockAreaSize : blockSize))
        wrong('is a symbolic link of another form');
      if (blocks === undefined && has(inode.flags, inodeFlags.EXT4_EXTENTS_FL))
        wrong('is a short link with extents');
      const bytes = blocks === undefined ? inode.blockArea : this.#linkBlock(inode);
      if (bytes.indexOf(0) !== size) wrong('is a symbolic link of another length');
    } else if (kind === 'directory') {
      if (blocks === undefined || blocks.hasGaps || blocks.data === 0 || blocks.data * blockSize !== size)
        wrong('is a directory with holes');
    } else if (blocks !== undefined && blocks.end > Math.ceil(size / blockSize))
      wrong('has contents behind its end');
  }

  /** The one block of a symbolic link. */
  #linkBlock(inode: Inode): Uint8Array {
    const { block } = blockMapOf(this.#volume, inode).find(0, 1);
    return this.#volume.block(block ?? 0, inodeName(inode.number));
  }

  /** How many blocks of attributes the inode counts. */
  #claimAttributes(inode: Inode): number {
    const what = `${inodeName(inode.number)}: extended attributes`;
    checkEntries(inodeXattrEntries(inode, what), true, what);
    const { attributeBlock } = inode;
    if (attributeBlock === 0) return 0;
    if (!has(this.#superblock.features.compat, compat.extAttr))
      throw new CorruptError(what, 'are in a block, which the filesystem has not');
    const known = this.#users.get(attributeBlock);
    if (known !== undefined) {
      known.found++;
      return 1;
    }
    this.#claims.take(attributeBlock, 1, what);
    checkEntries(xattrBlockEntries(this.#volume, inode), false, what);
    const { h_refcount: stored } = xattrHeader.decode(this.#volume.peekBlock(attributeBlock, what));
    this.#users.set(attributeBlock, { stored, found: 1 });
    return 1;
  }

  /** The inode that has the blocks which are kept for descriptors, as mke2fs makes it. */
  #checkResizeInode(inode: Inode): void {
    const { blockSize, groupCount, firstDataBlock, firstMetaGroup, blocksPerGroup, raw } = this.#superblock;
    const what = `${inodeName(inode.number)}: blocks kept for descriptors`;
    const wrong = (): never => {
      throw new CorruptError(what, 'are others than it names');
    };
    const reserved = raw.s_reserved_gdt_blocks;
    const root = inode.blockView;
    const double = root.getUint32(doubleIndirect * 4, true);
    for (let index = 0; index < inodeBlockAreaSize / 4; index++)
      if (index !== doubleIndirect && root.getUint32(index * 4, true) !== 0) wrong();
    if (inode.kind !== 'file' || inode.stat.linkCount !== 1 || has(inode.flags, inodeFlags.EXT4_EXTENTS_FL))
      wrong();
    this.#claims.take(double, 1, what);
    const addresses = blockSize / 4;
    const expected = new Uint32Array(addresses);
    const backups: number[] = [];
    for (let group = 1; group < groupCount; group++)
      if (hasSuperblockCopy(this.#superblock, group)) backups.push(group);
    for (let index = 0; index < reserved; index++) {
      work.steps.spend(addresses);
      const block = firstDataBlock + 1 + firstMetaGroup + index;
      expected[(firstMetaGroup + index) % addresses] = block;
      const table = viewOf(this.#volume.block(block, what));
      for (let place = 0; place < addresses; place++) {
        const group = backups[place];
        const there = group === undefined ? 0 : block + group * blocksPerGroup;
        if (table.getUint32(place * 4, true) !== there) wrong();
      }
    }
    const table = viewOf(this.#volume.block(double, what));
    if (expected.some((block, place) => table.getUint32(place * 4, true) !== block)) wrong();
    if (inode.stat.blockCount512 !== (1 + reserved * (1 + backups.length)) * (blockSize / 512)) wrong();
  }
}

const isFastLink = ({ kind, stat }: Inode): boolean =>
  kind === 'symlink' && stat.sizeInBytes < inodeBlockAreaSize;

/** What was never an inode has no checksum, and all else the right one. */
function checkEmpty(superblock: Superblock, number: number, record: DataView): void {
  if (superblock.checksumSeed === undefined || isBlank(record)) return;
  const right = new DataView(record.buffer.slice(record.byteOffset, record.byteOffset + record.byteLength));
  setInodeChecksum(superblock, number, right);
  for (let offset = 0; offset < record.byteLength; offset += 4)
    if (right.getUint32(offset, true) !== record.getUint32(offset, true))
      throw new CorruptError(inodeName(number), 'has a bad checksum');
}

function isBlank(record: DataView): boolean {
  for (let offset = 0; offset < record.byteLength; offset += 4)
    if (record.getUint32(offset, true) !== 0) return false;
  return true;
}

/** Attributes have hashes that are right, and no two values share bytes. */
function checkEntries(entries: readonly XattrEntry[], isInside: boolean, what: string): void {
  const places: (readonly [start: number, end: number])[] = [];
  for (const entry of entries) {
    work.entries.spend(1);
    const { index, value, valueInode, hash } = entry;
    if (valueInode !== 0 || (xattrPrefixes[index] === undefined && index !== xattrIndex.system))
      throw new CorruptError(what, 'are of a kind that is not checked here', { index });
    const isHashed = [false, true].some((signed) => valueHash(entry, signed) === hash);
    if (!isHashed && !(isInside && hash === 0)) throw new CorruptError(what, 'the hash of one is wrong');
    if (value.length > 0) places.push([value.byteOffset, value.byteOffset + Math.ceil(value.length / 4) * 4]);
  }
  places.sort(([a], [b]) => a - b);
  for (const [place, [start]] of places.entries())
    if (place > 0 && (places[place - 1]?.[1] ?? 0) > start)
      throw new CorruptError(what, 'two values overlap');
}
