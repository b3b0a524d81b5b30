/**
 * Extended attributes by full name, from an inode and its attribute block; large values are in an inode of their own
 * (ea_inode). Specification: the kernel's Documentation/filesystems/ext4/attributes.rst, and for the hashes
 * fs/ext4/xattr.c.
 */
import { CorruptError, checksumHolds, crc32c, decodeText } from '../../base/index.js';
import { presentAcl } from './acl.js';
import { readContents } from './data.js';
import { type Inode, inodeName } from './inode.js';
import {
  blockIdentity,
  inodeFlags,
  xattrHeader,
  xattrHeaderChecksumAt,
  xattrIndex,
  xattrMagic,
  xattrPrefixes,
} from './layout.js';
import { has } from './superblock.js';
import type { ExtVolume } from './volume.js';
import { decodeXattrEntries, inodeXattrEntries, type XattrEntry } from './xattr-entries.js';

/** Linux's XATTR_SIZE_MAX: no system call can read a longer value. In bytes. */
const valueLimit = 65536;
/** The most bytes of all values of one inode, which bounds memory. Linux limits only the names, to 64 KiB. */
const totalLimit = 16 * 1024 * 1024;

/** All attributes that the kernel lists for root, in stored order. */
export function readXattrs(volume: ExtVolume, inode: Inode): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (!hasXattrs(volume, inode)) return found;
  const what = `${inodeName(inode.number)}: extended attributes`;
  let total = 0;
  for (const entry of [...inodeXattrEntries(inode, what), ...xattrBlockEntries(volume, inode)]) {
    const name = fullName(entry);
    if (name === undefined || found.has(name)) continue;
    const value = readValue(volume, inode, entry, `${what}: ${name}`);
    total += value.length;
    if (total > totalLimit)
      throw new CorruptError(what, 'their values are too long together', { limit: totalLimit });
    found.set(name, isAcl(entry) ? presentAcl(value, `${what}: ${name}`) : value.slice());
  }
  return found;
}

/** Whether an inode has any attributes: cheap, for those that mostly have none. */
export function hasXattrs(volume: ExtVolume, { number, attributeBlock, attributesAt }: Inode): boolean {
  if (attributeBlock !== 0) return true;
  if (attributesAt + 4 > volume.superblock.inodeSize) return false;
  const offset = volume.inodeOffset(number);
  const { start, view } = volume.pieces.at(offset, 'ext4 inode table');
  return view.getUint32(offset - start + attributesAt, true) === xattrMagic;
}

function isAcl({ index }: XattrEntry): boolean {
  return index === xattrIndex.aclAccess || index === xattrIndex.aclDefault;
}

/** The listed name of an attribute; undefined for ext4's own (inline data, encryption) and for unknown kinds. */
function fullName(entry: XattrEntry): string | undefined {
  if (isAcl(entry)) return xattrPrefixes[entry.index];
  const prefix = xattrPrefixes[entry.index];
  if (prefix === undefined) return undefined;
  return prefix + decodeText(entry.name);
}

/** Adds the attribute block of an inode: one block, which several inodes may share. */
export function xattrBlockEntries(volume: ExtVolume, inode: Inode): XattrEntry[] {
  const number = inode.attributeBlock;
  if (number === 0) return [];
  const what = `${inodeName(inode.number)}: attribute block ${number}`;
  const bytes = volume.block(number, what);
  const header = xattrHeader.decode(bytes);
  if (header.h_magic !== xattrMagic)
    throw new CorruptError(what, 'has no magic number', { found: header.h_magic });
  if (header.h_blocks !== 1) throw new CorruptError(what, 'is not one block', { blocks: header.h_blocks });
  const sum = xattrBlockChecksum(volume, number, bytes);
  if (sum !== undefined && !checksumHolds(sum, header.h_checksum))
    throw new CorruptError(what, 'has a bad checksum', { stored: header.h_checksum });
  return decodeXattrEntries(bytes, xattrHeader.size, 0, what);
}

/** The checksum of a block of attributes, whose own field does not count; undefined where there are none. */
export function xattrBlockChecksum(volume: ExtVolume, number: number, bytes: Uint8Array): number | undefined {
  const seed = volume.superblock.checksumSeed;
  if (seed === undefined) return undefined;
  let sum = crc32c(seed, blockIdentity.encode({ number }));
  sum = crc32c(sum, bytes.subarray(0, xattrHeaderChecksumAt));
  sum = crc32c(sum, new Uint8Array(4));
  return crc32c(sum, bytes.subarray(xattrHeaderChecksumAt + 4));
}

function readValue(volume: ExtVolume, inode: Inode, entry: XattrEntry, what: string): Uint8Array {
  if (entry.valueSize > valueLimit)
    throw new CorruptError(what, 'its value is too long', { size: entry.valueSize, limit: valueLimit });
  if (entry.valueInode === 0) return entry.value;
  const holder = volume.inode(entry.valueInode);
  if (!has(holder.flags, inodeFlags.EXT4_EA_INODE_FL) || holder.kind !== 'file')
    throw new CorruptError(what, 'its value lies in an inode that is not for values', {
      inode: holder.number,
    });
  if (holder.stat.sizeInBytes !== entry.valueSize)
    throw new CorruptError(what, 'its value has another size than its inode', {
      inode: holder.number,
      size: holder.stat.sizeInBytes,
      expected: entry.valueSize,
    });
  const value = readContents(volume, holder, valueLimit);
  // Lustre's value inodes belong to one file, have its number and generation, and have no hash.
  const owned = holder.stat.modified.seconds >>> 0 === inode.number && holder.generation === inode.generation;
  if (!owned) checkHashes(volume, entry, holder, value, what);
  return value;
}

/** The value's inode has the hash of the value in its access time; the entry has a hash of its name and that hash. */
function checkHashes(
  volume: ExtVolume,
  entry: XattrEntry,
  holder: Inode,
  value: Uint8Array,
  what: string,
): void {
  const hash = crc32c(volume.superblock.valueSeed, value);
  if (!checksumHolds(hash, holder.stat.accessed.seconds >>> 0))
    throw new CorruptError(what, 'the hash of its value is wrong', { inode: holder.number });
  // Old kernels treated the bytes of names as signed.
  const sums = [xattrEntryHash(entry.name, hash, false), xattrEntryHash(entry.name, hash, true)];
  if (!sums.some((sum) => checksumHolds(sum, entry.hash)))
    throw new CorruptError(what, 'its hash is wrong', { stored: entry.hash });
}

/** The hash of an entry whose value has an inode of its own. */
export function xattrEntryHash(name: Uint8Array, valueHash: number, signed: boolean): number {
  let hash = 0;
  for (const byte of name) hash = ((hash << 5) | (hash >>> 27)) ^ (signed ? (byte << 24) >> 24 : byte);
  return (((hash << 16) | (hash >>> 16)) ^ valueHash) >>> 0;
}
