/**
 * Extended attributes by full name. Hidden are the kernel's own: pointers to parents, and attributes whose value was
 * being written when the machine stopped.
 */
import { CorruptError, decodeText } from '../../../base/index.js';
import { noXattrs } from '../../support.js';
import { ForkBlocks } from '../directory/blocks.js';
import { type IndexSource, leavesOf } from '../directory/index-tree.js';
import { ExtentMap } from '../extents.js';
import { has } from '../features.js';
import { type Inode, inodeName } from '../inode.js';
import { attributeFlags, attributeLeafMagics, forkFormats } from '../layout.js';
import { readRemote } from '../remote.js';
import type { XfsVolume } from '../volume.js';
import { aclNames, presentAcl } from './acl.js';
import { leafAttributes, type StoredAttribute, shortFormAttributes } from './entries.js';

/** Linux's XATTR_SIZE_MAX: no system call can read a longer value. In bytes. */
const valueLimit = 65536;
/** The most bytes of all values of one inode, which bounds memory. Linux limits only the names, to 64 KiB. */
const totalLimit = 16 * 1024 * 1024;

/** All attributes that the kernel lists for root, in stored order. */
export function readXattrs(volume: XfsVolume, inode: Inode): ReadonlyMap<string, Uint8Array> {
  const changed = volume.replayed?.pending.get(inode.number)?.xattrs ?? new Map<string, undefined>();
  if (inode.attributes === undefined && changed.size === 0) return noXattrs;
  const what = `${inodeName(inode.number)}: extended attributes`;
  const found = new Map<string, Uint8Array>();
  let total = 0;
  const add = (attribute: StoredAttribute, full: string): void => {
    const value = readValue(volume, inode, attribute, `${what}: ${full}`);
    total += value.length;
    if (total > totalLimit)
      throw new CorruptError(what, 'their values are too long together', { limit: totalLimit });
    // The kernel lists a list of access rights in both forms.
    const name = decodeText(attribute.name);
    const acl =
      has(attribute.flags, attributeFlags.root) && Object.hasOwn(aclNames, name) ? aclNames[name] : undefined;
    if (acl !== undefined) found.set(acl, presentAcl(value, `${what}: ${full}`));
    found.set(full, value);
  };
  for (const attribute of storedAttributes(volume, inode, what)) {
    const full = fullName(attribute.flags, attribute.name);
    const isHidden = has(attribute.flags, attributeFlags.parent | attributeFlags.incomplete);
    if (!isHidden && !found.has(full) && !changed.has(full)) add(attribute, full);
  }
  for (const [full, attribute] of changed) if (attribute !== undefined) add(attribute, full);
  return found;
}

/** As Linux names an attribute. */
export function fullName(flags: number, name: Uint8Array): string {
  if (has(flags, attributeFlags.root)) return `trusted.${decodeText(name)}`;
  return `${has(flags, attributeFlags.secure) ? 'security' : 'user'}.${decodeText(name)}`;
}

function* storedAttributes(volume: XfsVolume, inode: Inode, what: string): Generator<StoredAttribute> {
  const fork = inode.attributes;
  if (fork === undefined) return;
  if (fork.format === forkFormats.local) {
    yield* shortFormAttributes(inode.forkBytes(fork), what);
    return;
  }
  const map = new ExtentMap(volume, inode, fork);
  // A fork for attributes that has none yet.
  if (fork.format === forkFormats.extents && fork.extentCount === 0) return;
  const { blockSize, features } = volume.superblock;
  const source: IndexSource = {
    blocks: new ForkBlocks(volume, map, inode.number, blockSize, what),
    version5: features.version === 5,
    leafMagics: attributeLeafMagics,
    start: 0,
    unit: blockSize,
    name: what,
  };
  for (const leaf of leavesOf(source)) yield* leafAttributes(leaf, source.version5, what);
}

function readValue(volume: XfsVolume, inode: Inode, { value }: StoredAttribute, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value.slice();
  const { firstBlock, size } = value;
  if (size > valueLimit) throw new CorruptError(what, 'its value is too long', { size, limit: valueLimit });
  const fork = inode.attributes;
  if (fork === undefined) throw new CorruptError(what, 'has no fork for its value');
  return readRemote(volume, inode, { kind: 'value', fork, firstBlock, size }, what);
}
