/**
 * Attributes that were being set, replaced or removed when the machine stopped. Linux logs those of users where it was
 * built for debugging; pointers to parents, which are attributes that nobody sees, it always logs.
 */
import { CorruptError, decodeText, type Endian } from '../../../../base/index.js';
import { fullName } from '../../attributes/attributes.js';
import { shortFormAttributes } from '../../attributes/entries.js';
import { has } from '../../features.js';
import { inodeName } from '../../inode.js';
import { attributeFlags, forkFormats, shortAttributeAt, shortAttributesAt } from '../../layout.js';
import { firstRegion } from '../buffers.js';
import {
  attributeIntent,
  longestShortAttribute,
  newNameShift,
  oldNameLength,
  attributeOperations as operations,
} from '../layout.js';
import { logName } from '../log.js';
import type { Unfinished } from './unfinished.js';

/** XATTR_NAME_MAX and XATTR_SIZE_MAX, in bytes. */
const longestName = 255;
const longestValue = 65536;
const namespaces = attributeFlags.root | attributeFlags.secure | attributeFlags.parent;
const names: ReadonlySet<number> = new Set(Object.values(operations));
const ofParents: ReadonlySet<number> = new Set([
  operations.setParent,
  operations.removeParent,
  operations.replaceParent,
]);
const staleCount = 'its number of blocks may be out of date, since a change of its attributes was under way';

interface NamedValue {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** What an intent says. */
interface Change {
  readonly inode: number;
  readonly flags: number;
  readonly operation: number;
  readonly removed: NamedValue | undefined;
  readonly added: NamedValue | undefined;
}

export class Attributes {
  readonly #unfinished: Unfinished;
  readonly #endian: Endian;
  readonly #lists = new Map<number, AttributeList>();

  constructor(unfinished: Unfinished, endian: Endian) {
    this.#unfinished = unfinished;
    this.#endian = endian;
  }

  /** Finishes the change of one attribute. */
  finish(regions: readonly Uint8Array[]): void {
    const { inode, flags, operation, removed, added } = this.#decode(regions);
    const pending = this.#unfinished.inode(inode);
    if (!ofParents.has(operation)) {
      if (removed !== undefined) pending.xattrs.set(fullName(flags, removed.name), undefined);
      if (added !== undefined) pending.xattrs.set(fullName(flags, added.name), { ...added, flags });
    }
    let list = this.#lists.get(inode);
    if (list === undefined) {
      list = new AttributeList(this.#unfinished, inode);
      this.#lists.set(inode, list);
    }
    if (!list.stays(flags, removed, added)) this.#unfinished.warn(inode, staleCount);
  }

  /** What an intent says; what the kernel refuses is refused. */
  #decode(regions: readonly Uint8Array[]): Change {
    const intent = attributeIntent(this.#endian).decode(firstRegion(regions));
    const {
      alfi_ino: inode,
      alfi_op_flags: operation,
      alfi_attr_filter: flags,
      alfi_value_len: size,
    } = intent;
    const corrupt = (problem: string): CorruptError =>
      new CorruptError(logName, `changes an attribute ${problem}`, { inode, operation, flags });
    if (!names.has(operation)) throw corrupt('in a way that is not known');
    const isParent = ofParents.has(operation);
    // One namespace; users have the one without a flag.
    const isPlain = flags === 0 || flags === attributeFlags.root || flags === attributeFlags.secure;
    if (has(flags, ~namespaces) || (isParent ? flags !== attributeFlags.parent : !isPlain))
      throw corrupt('of no known namespace');
    const { features } = this.#unfinished.volume.superblock;
    if (isParent ? !features.parentPointers : !features.loggedAttributes)
      throw corrupt('which this filesystem does not log');
    let next = 1;
    const region = (length: number, longest: number): Uint8Array => {
      const bytes = length === 0 ? new Uint8Array(0) : regions[next++];
      if (length > longest || bytes === undefined || bytes.length < length)
        throw corrupt('whose parts are missing');
      return bytes.subarray(0, length);
    };
    const isReplaced = operation === operations.replaceParent;
    const nameLength = isReplaced ? intent.alfi_name_len & oldNameLength : intent.alfi_name_len;
    const name = region(nameLength, longestName);
    const newName = isReplaced ? region(intent.alfi_name_len >>> newNameShift, longestName) : name;
    if (name.length === 0 || newName.length === 0) throw corrupt('without a name');
    const value = region(size, longestValue);
    const newValue = isReplaced ? region(size, longestValue) : value;
    const isRemoved = operation === operations.remove || operation === operations.removeParent;
    const isAdded = operation === operations.setParent;
    return {
      inode,
      flags,
      operation,
      removed: isAdded ? undefined : { name, value },
      added: isRemoved ? undefined : { name: newName, value: newValue },
    };
  }
}

/** The attributes of an inode as far as they lie in it, by which their number of blocks is known. */
class AttributeList {
  /** By flags, name and, of pointers to parents, value: the bytes of each. Undefined where they lie elsewhere. */
  readonly #sizes: Map<string, number> | undefined;
  #total: number = shortAttributesAt.list;
  readonly #room: number;

  constructor({ volume }: Unfinished, number: number) {
    const inode = volume.anyInode(number);
    const fork = inode.attributes;
    this.#room = fork === undefined ? 0 : fork.end - fork.start;
    if (fork?.format !== forkFormats.local) return;
    this.#sizes = new Map();
    for (const { name, flags, value } of shortFormAttributes(inode.forkBytes(fork), inodeName(number)))
      if (value instanceof Uint8Array)
        this.#put(this.#sizes, keyOf(flags, { name, value }), sizeOf({ name, value }));
  }

  /** Makes the change. False if they may take more or fewer blocks from then on. */
  stays(flags: number, removed: NamedValue | undefined, added: NamedValue | undefined): boolean {
    if (this.#sizes === undefined) return false;
    if (removed !== undefined) this.#put(this.#sizes, keyOf(flags, removed), 0);
    if (added === undefined) return true;
    this.#put(this.#sizes, keyOf(flags, added), sizeOf(added));
    return added.value.length <= longestShortAttribute && this.#total <= this.#room;
  }

  #put(sizes: Map<string, number>, key: string, size: number): void {
    this.#total += size - (sizes.get(key) ?? 0);
    if (size === 0) sizes.delete(key);
    else sizes.set(key, size);
  }
}

function keyOf(flags: number, { name, value }: NamedValue): string {
  const parent = has(flags, attributeFlags.parent) ? `${value.join()} ` : '';
  return `${flags & namespaces} ${parent}${decodeText(name)}`;
}

function sizeOf({ name, value }: NamedValue): number {
  return shortAttributeAt.nameval + name.length + value.length;
}
