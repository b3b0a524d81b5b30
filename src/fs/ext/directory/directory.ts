/**
 * Directories: entries in stored order, lookup of names, and the parent. A directory consists of blocks of entries
 * (entries.ts), or holds its entries in the inode (inline.ts). It may have an index (htree.ts), which looks like
 * unused entries to a plain reader.
 */
import {
  CorruptError,
  compareBytes,
  decodeLatin1,
  decodeText,
  encodeText,
  GuestfsError,
  viewOf,
  work,
} from '../../../base/index.js';
import { type DirectoryEntry, heeding, type InodeNumber, isDamage, type OnDamage } from '../../driver.js';
import { blockMapOf } from '../blockmap.js';
import { DistinctRuns } from '../distinct.js';
import { compat, incompat } from '../features.js';
import { inlineContinuation, inlineParentSize } from '../inline.js';
import { type Inode, inodeName } from '../inode.js';
import { direntAt, inodeFlags } from '../layout.js';
import type { BlockMap } from '../run.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { foldName } from './casefold.js';
import { deletedNames, type StoredName } from './deleted.js';
import {
  countLimitAt,
  type EntryArea,
  type EntryRules,
  type EntryVisitor,
  entryType,
  indexChecksumHolds,
  isDots,
  isIndexBlock,
  isNamed,
  leafChecksumHolds,
  nameBytes,
  scanEntries,
} from './entries.js';
import { hashName, type NameHash } from './hash.js';
import { type Descent, descend, findLeaves, indexHashVersion } from './htree.js';
import { leastEncryptedName, showEncryptedName } from './nokey.js';

/** After this many unreadable blocks of a directory the rest is given up, because its map is lost. */
const mostLost = 1024;

/** An open directory. It keeps only which of its blocks have been verified. */
export class Directory {
  readonly inode: Inode;
  readonly #volume: ExtVolume;
  readonly #name: string;
  readonly #rules: EntryRules;
  readonly #indexed: boolean;
  readonly #inline: boolean;
  readonly #encrypted: boolean;
  readonly #casefold: boolean;
  readonly #blockCount: number;
  readonly #seed: number | undefined;
  /** Whether blocks are looked at where they are changed. */
  readonly #isOwn: boolean;
  #lastName: Uint8Array | undefined;
  #lastDescent: Descent | undefined;
  #map: BlockMap | undefined;

  /** Throws ENOTDIR for other inodes. `map`: where its blocks lie, for those who change it. */
  constructor(volume: ExtVolume, inode: Inode, map?: BlockMap) {
    this.#map = map;
    this.#isOwn = map !== undefined;
    const { superblock } = volume;
    const { features, blockSize } = superblock;
    this.#volume = volume;
    this.inode = inode;
    this.#name = `${inodeName(inode.number)}: directory`;
    if (inode.kind !== 'directory')
      throw new GuestfsError('ENOTDIR', `${inodeName(inode.number)}: not a directory`);
    this.#rules = {
      blockSize,
      inodeCount: superblock.inodeCount,
      typed: has(features.incompat, incompat.filetype),
    };
    this.#inline = has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL);
    this.#indexed = has(features.compat, compat.dirIndex) && has(inode.flags, inodeFlags.EXT4_INDEX_FL);
    this.#encrypted = has(inode.flags, inodeFlags.EXT4_ENCRYPT_FL);
    this.#casefold = has(inode.flags, inodeFlags.EXT4_CASEFOLD_FL);
    this.#blockCount = Math.floor(inode.stat.sizeInBytes / blockSize);
    // Each block belongs to one directory. A directory with more blocks than the filesystem is damaged, and reading
    // it would take forever.
    if (!this.#inline && this.#blockCount > superblock.blockCount)
      throw new CorruptError(this.#name, 'is larger than the filesystem', { size: inode.stat.sizeInBytes });
    this.#seed = volume.checksumSeedOf(inode);
  }

  /** The entries but `.` and `..`, in the order in which they are stored; see {@link FileSystem.entries}. */
  *entries(onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const area of this.#areas(onDamage))
      for (const [, entry] of this.#entriesIn(area, onDamage)) yield entry;
  }

  /**
   * The entries and the deleted ones, by place, without `.` and `..`. Skips a deleted name if a live entry has the
   * same name, or if it was listed before. In encrypted directories deleted names are ciphertext and are skipped too.
   */
  *names(onDamage?: OnDamage): Generator<StoredName> {
    const known = new Set<string>();
    const isNew = ({ inode, name }: DirectoryEntry): boolean => {
      const before = known.size;
      return known.add(`${inode} ${name}`).size > before;
    };
    // Damage is told by the second look.
    for (const entry of this.entries(onDamage && (() => {}))) isNew(entry);
    for (const area of this.#areas(onDamage)) {
      const isIndex = this.#indexed && countLimitAt(area, this.#rules) !== undefined;
      const deleted =
        this.#encrypted || isIndex
          ? new Map<number, StoredName>()
          : deletedNames(
              area,
              this.#rules,
              this.#encrypted && this.#casefold,
              this.#name,
              onDamage && (() => {}),
            );
      const found = new Map<number, StoredName>([...deleted].filter(([, name]) => isNew(name)));
      for (const [offset, entry] of this.#entriesIn(area, onDamage))
        found.set(offset, { ...entry, deleted: false });
      yield* [...found].sort(([a], [b]) => a - b).map(([, name]) => name);
    }
  }

  /** The inode of a name; undefined if it does not exist. */
  lookup(name: string): InodeNumber | undefined {
    if (this.#encrypted) return this.#lookupShown((shown) => shown === name);
    const wanted = encodeText(name);
    if (wanted.length > 255 || wanted.length === 0) return undefined;
    if (this.#casefold) {
      const folded = foldName(name);
      if (folded !== undefined) return this.#lookupShown((shown) => foldName(shown) === folded);
    } else if (this.#indexed) {
      const leaves = findLeaves(this.#indexSource(), wanted);
      if (leaves !== undefined) {
        for (const leaf of leaves) {
          const found = this.#lookupIn(this.#block(leaf), wanted);
          if (found !== undefined) return found;
        }
        return undefined;
      }
      this.#volume.warn(`${this.#name}: its index is damaged; searching without it`);
    }
    // The name may be in a damaged part, so its absence is only certain without damage.
    let damage: GuestfsError | undefined;
    const onDamage: OnDamage = (error) => {
      damage ??= error;
    };
    for (const area of this.#areas(onDamage)) {
      const found = this.#lookupIn(area, wanted, onDamage);
      if (found !== undefined) return found;
    }
    if (damage !== undefined) throw damage;
    return undefined;
  }

  /**
   * The blocks of entries that may have a name, as blocks of the directory: those that the index leads to, or all. A
   * damaged index is a CorruptError, since whoever asks is about to change the directory. An inline directory has none.
   */
  *leavesOf(name: Uint8Array): Generator<{ readonly logical: number; readonly area: EntryArea }> {
    if (this.#inline) return;
    const leaves = this.#indexed ? findLeaves(this.#indexSource(), name, this.#descended(name)) : undefined;
    if (this.#indexed && leaves === undefined) throw new CorruptError(this.#name, 'its index is damaged');
    for (const logical of leaves ?? Array.from({ length: this.#blockCount }, (_, at) => at))
      if (this.#blockMap().find(logical, 1).block !== undefined)
        yield { logical, area: this.#block(logical) };
  }

  /** The way through the index to the block of entries for a name. Undefined where there is no index. */
  descend(name: Uint8Array): Descent | undefined {
    if (!this.#indexed) return undefined;
    const found = this.#descended(name);
    if (found === undefined) throw new CorruptError(this.#name, 'its index is damaged');
    return found;
  }

  /** As {@link descend}: whoever puts a name in has looked for it before. */
  #descended(name: Uint8Array): Descent | undefined {
    if (this.#lastName === undefined || compareBytes(this.#lastName, name) !== 0)
      this.#lastDescent = descend(this.#indexSource(), name);
    this.#lastName = name;
    return this.#lastDescent;
  }

  /** The hash of a name by a version that an index has in its root. */
  hash(name: Uint8Array, version: number): number | undefined {
    return hashName(name, this.#hashVersion(version), this.#volume.superblock.raw.s_hash_seed)?.major;
  }

  /** Its blocks. */
  get blockCount(): number {
    return this.#blockCount;
  }

  get rules(): EntryRules {
    return this.#rules;
  }

  /** The inode of the directory's parent, from the directory itself. */
  parent(): InodeNumber {
    let parent: InodeNumber | undefined;
    if (this.#inline) parent = viewOf(this.inode.blockArea).getUint32(0, true);
    else if (this.#blockCount > 0) {
      const area = this.#block(0);
      this.#scan(area, (offset, inode, nameLength) => {
        if (nameLength !== 2 || !isDots(area.bytes, offset, nameLength)) return false;
        parent = inode;
        return true;
      });
    }
    if (parent === undefined) throw new CorruptError(this.#name, 'has no entry for its parent');
    return parent;
  }

  /** The entries in use of an area, with their offsets. */
  #entriesIn(area: EntryArea, onDamage?: OnDamage): [offset: number, entry: DirectoryEntry][] {
    const rules = this.#rules;
    const found: [number, DirectoryEntry][] = [];
    const { bytes } = area;
    const visit: EntryVisitor = (offset, inode, nameLength) => {
      if (isDots(bytes, offset, nameLength)) return false;
      try {
        const name = this.#shownName(area, offset, nameLength);
        const type = entryType(rules, bytes[offset + direntAt.file_type] ?? 0);
        found.push([offset, { name, inode, type }]);
      } catch (thrown) {
        if (onDamage === undefined || !isDamage(thrown)) throw thrown;
        onDamage(thrown);
      }
      return false;
    };
    this.#scan(area, visit, onDamage);
    return found;
  }

  #lookupIn(area: EntryArea, name: Uint8Array, onDamage?: OnDamage): InodeNumber | undefined {
    let found: InodeNumber | undefined;
    const visit: EntryVisitor = (offset, inode, nameLength) => {
      if (!isNamed(area.bytes, offset, nameLength, name)) return false;
      found = inode;
      return true;
    };
    this.#scan(area, visit, onDamage);
    return found;
  }

  #lookupShown(matches: (shown: string) => boolean): InodeNumber | undefined {
    for (const entry of this.entries()) if (matches(entry.name)) return entry.inode;
    return undefined;
  }

  #scan(area: EntryArea, visit: EntryVisitor, onDamage?: OnDamage): void {
    scanEntries(area, this.#rules, this.#encrypted && this.#casefold, this.#name, visit, onDamage);
  }

  #shownName(area: EntryArea, offset: number, nameLength: number): string {
    if (this.#encrypted) {
      const bytes = nameBytes(area.bytes, offset, nameLength);
      if (nameLength < leastEncryptedName)
        throw new CorruptError(this.#name, 'an encrypted name is too short', { offset, nameLength });
      return showEncryptedName(bytes, this.#shownHash(area, offset, bytes));
    }
    const { bytes } = area;
    const start = offset + direntAt.name;
    let bits = 0;
    for (let i = start; i < start + nameLength; i++) {
      const byte = bytes[i] ?? 0;
      // The kernel's readdir refuses such a name too, because its path would mean something else.
      if (byte === 0x2f || byte === 0)
        throw new CorruptError(this.#name, 'a name holds a slash or a NUL', { offset });
      bits |= byte;
    }
    const name = nameBytes(bytes, offset, nameLength);
    return bits < 0x80 ? decodeLatin1(name) : decodeText(name);
  }

  /** The hashes in the shown form of an encrypted name: the index's, if the kernel reads by the index. */
  #shownHash(area: EntryArea, offset: number, name: Uint8Array): NameHash {
    const none = { major: 0, minor: 0 };
    const { features, raw } = this.#volume.superblock;
    if (!has(features.compat, compat.dirIndex)) return none;
    if (!this.#indexed && !this.#inline && this.#blockCount !== 1) return none;
    if (this.#casefold) {
      const hashAt = offset + ((direntAt.name + name.length + 3) & ~3); // scanEntries has checked that it fits
      return { major: area.view.getUint32(hashAt, true), minor: area.view.getUint32(hashAt + 4, true) };
    }
    const version = this.#indexed ? indexHashVersion(this.#indexSource()) : raw.s_def_hash_version;
    return hashName(name, this.#hashVersion(version ?? raw.s_def_hash_version), raw.s_hash_seed) ?? none;
  }

  #hashVersion(version: number): number {
    return version <= 2 && this.#volume.superblock.unsignedHash ? version + 3 : version;
  }

  #indexSource(): Parameters<typeof findLeaves>[0] {
    const { superblock } = this.#volume;
    return {
      rules: this.#rules,
      blockCount: this.#blockCount,
      hasChecksums: this.#seed !== undefined,
      largeDirectories: has(superblock.features.incompat, incompat.largeDir),
      hash: (name, version) => this.hash(name, version),
      block: (logical) => this.#block(logical),
    };
  }

  *#areas(onDamage?: OnDamage): Generator<EntryArea> {
    if (this.#inline) {
      yield* this.#inlineAreas(onDamage);
      return;
    }
    const { blockSize } = this.#volume.superblock;
    const map = heeding(onDamage, () => this.#blockMap());
    if (map === undefined) return;
    const runs = new DistinctRuns();
    let holes = 0;
    let lost = 0;
    for (let logical = 0; logical < this.#blockCount && lost < mostLost; ) {
      work.lookups.spend(1);
      const start = logical;
      const run = heeding(onDamage, () => map.find(start, this.#blockCount - start));
      if (run === undefined) {
        // The next blocks may be in another branch of the map.
        logical++;
        lost++;
        continue;
      }
      const count = Math.min(run.count, this.#blockCount - logical);
      if (run.block !== undefined && !runs.add(run.block, count)) {
        const error = new CorruptError(this.#name, 'a block is used twice', { block: run.block, logical });
        if (onDamage === undefined) throw error;
        onDamage(error);
        logical += count;
        lost++;
        continue;
      }
      // The kernel's readdir reports a hole and continues after it.
      if (run.block === undefined) {
        if (holes++ === 0) this.#volume.warn(`${this.#name}: has a hole at byte ${logical * blockSize}`);
      } else
        for (let i = 0; i < count; i++) {
          const block = run.block + i;
          const area = heeding(onDamage, () => this.#verifiedArea(block, start + i));
          if (area !== undefined) yield area;
        }
      logical += count;
    }
    if (holes > 1) this.#volume.warn(`${this.#name}: has ${holes - 1} holes more`);
  }

  *#inlineAreas(onDamage?: OnDamage): Generator<EntryArea> {
    // As in the kernel, the inode's size is ignored here: the whole space holds entries.
    const areas: [Uint8Array, number][] = [
      [this.inode.blockArea, inlineParentSize],
      [heeding(onDamage, () => inlineContinuation(this.inode)) ?? new Uint8Array(0), 0],
    ];
    for (const [bytes, start] of areas) yield { bytes, view: viewOf(bytes), start, end: bytes.length };
  }

  #blockMap(): BlockMap {
    this.#map ??= blockMapOf(this.#volume, this.inode);
    return this.#map;
  }

  /** A block of the directory that must be there. */
  #block(logical: number): EntryArea {
    const run = this.#blockMap().find(logical, 1);
    if (run.block === undefined) throw new CorruptError(this.#name, 'has a hole', { block: logical });
    return this.#verifiedArea(run.block, logical);
  }

  #areaOf(bytes: Uint8Array): EntryArea {
    return { bytes, view: viewOf(bytes), start: 0, end: bytes.length };
  }

  #ownArea(block: number): EntryArea {
    const { bytes, view } = this.#volume.ownBlock(block, this.#name);
    return { bytes, view, start: 0, end: bytes.length };
  }

  #verifiedArea(block: number, logical: number): EntryArea {
    const area = this.#isOwn ? this.#ownArea(block) : this.#areaOf(this.#volume.block(block, this.#name));
    const seed = this.#seed;
    const { verified } = this.#volume;
    if (seed !== undefined && !verified.has(block) && !this.#volume.unsealed('block').has(block)) {
      const rules = this.#rules;
      const holds =
        this.#indexed && isIndexBlock(area, rules, logical)
          ? indexChecksumHolds(area, rules, seed)
          : leafChecksumHolds(area, seed);
      if (!holds) throw new CorruptError(this.#name, 'a block has a bad checksum', { block: logical });
      if (verified.size >= 65536) verified.clear(); // bounds memory: verifying again is harmless
      verified.add(block);
    }
    return area;
  }
}
