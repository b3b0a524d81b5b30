/** Directories and the names of inodes, as e2fsck's passes two to four see them. */
import { CorruptError, decodeText, viewOf, work } from '../../../base/index.js';
import { blockMapOf } from '../blockmap.js';
import { Directory } from '../directory/directory.js';
import {
  countLimitAt,
  type EntryArea,
  type EntryRules,
  entryTypeNumber,
  indexChecksumHolds,
  isDots,
  isIndexBlock,
  leafChecksumHolds,
  nameBytes,
  scanAllEntries,
} from '../directory/entries.js';
import { mostLevels } from '../directory/htree.js';
import { incompat, roCompat } from '../features.js';
import { type Inode, inodeName } from '../inode.js';
import {
  direntAt,
  hashTreeEntrySize as entrySize,
  hashTreeAt,
  hashVersions,
  inodeFlags,
  linkLimit,
  reservedInodes,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { Census } from './inodes.js';

const directoryType = entryTypeNumber('directory', true);
const slash = 0x2f;

/** What is found of all directories, by the numbers of the inodes. */
interface Found {
  /** Entries that name it, `.` and `..` among them. */
  readonly names: Uint32Array;
  /** Of a directory: which one names it, and which it names by `..`. */
  readonly parents: Uint32Array;
  readonly above: Uint32Array;
  hasLostAndFound: boolean;
}

export function checkDirectories(volume: ExtVolume, census: Census): void {
  const length = census.types.length;
  const found: Found = {
    names: new Uint32Array(length),
    parents: new Uint32Array(length),
    above: new Uint32Array(length),
    hasLostAndFound: false,
  };
  for (const number of census.directories) new DirectoryCheck(volume, census, found, number).run();
  checkConnected(census, found);
  // e2fsck makes it where it is missing.
  if (!found.hasLostAndFound) throw new CorruptError('ext4 root directory', 'has no lost+found');
  checkLinks(volume, census, found);
}

/** Each directory is in the one that it names as its parent, and below the root. */
function checkConnected({ directories }: Census, { parents, above }: Found): void {
  const connected = new Set<number>([reservedInodes.root]);
  if (above[reservedInodes.root] !== reservedInodes.root)
    throw new CorruptError('ext4 root directory', 'has another parent than itself');
  for (const start of directories) {
    const way: number[] = [];
    const onTheWay = new Set<number>();
    for (let at = start; !connected.has(at); at = parents[at] ?? 0) {
      work.steps.spend(1);
      if (at === 0 || onTheWay.has(at)) throw new CorruptError(inodeName(start), 'is below no root');
      if (parents[at] !== above[at]) throw new CorruptError(inodeName(at), 'names another parent');
      way.push(at);
      onTheWay.add(at);
    }
    for (const at of way) connected.add(at);
  }
}

function checkLinks({ superblock }: ExtVolume, { types, links }: Census, { names }: Found): void {
  const { firstInode, features } = superblock;
  const mayOverflow = has(features.roCompat, roCompat.dirNlink);
  for (let number = 1; number < types.length; number++) {
    if (types[number] === 0 || (number < firstInode && number !== reservedInodes.root)) continue;
    const count = names[number] ?? 0;
    const overflows = mayOverflow && types[number] === directoryType && links[number] === 1;
    if (count !== links[number] && !(overflows && count > linkLimit))
      throw new CorruptError(inodeName(number), 'counts other names than it has', { names: count });
  }
}

/** The hashes that a block of entries may have, and those that it has. */
interface Leaf {
  readonly least: number;
  readonly most: number;
}

class DirectoryCheck {
  readonly #volume: ExtVolume;
  readonly #census: Census;
  readonly #found: Found;
  readonly #inode: Inode;
  readonly #what: string;
  readonly #rules: EntryRules;
  readonly #seed: number | undefined;
  readonly #isIndexed: boolean;
  readonly #areas: (logical: number) => EntryArea;
  readonly #count: number;
  readonly #hashed: Directory;

  constructor(volume: ExtVolume, census: Census, found: Found, number: number) {
    const { features, blockSize, inodeCount } = volume.superblock;
    this.#volume = volume;
    this.#census = census;
    this.#found = found;
    this.#inode = volume.anyInode(number);
    this.#what = `${inodeName(number)}: directory`;
    this.#rules = { blockSize, inodeCount, typed: has(features.incompat, incompat.filetype) };
    this.#seed = volume.checksumSeedOf(this.#inode);
    this.#isIndexed = has(this.#inode.flags, inodeFlags.EXT4_INDEX_FL);
    this.#count = this.#inode.stat.sizeInBytes / blockSize;
    this.#hashed = new Directory(volume, this.#inode);
    const map = blockMapOf(volume, this.#inode);
    this.#areas = (logical) => {
      const { block } = map.find(logical, 1);
      if (block === undefined) throw this.#wrong('has a hole');
      const bytes = volume.block(block, this.#what);
      return { bytes, view: viewOf(bytes), start: 0, end: bytes.length };
    };
  }

  run(): void {
    const index = this.#isIndexed ? new IndexCheck(this.#areas(0), this.#limits()) : undefined;
    const leaves = index?.leaves;
    for (let logical = 0; logical < this.#count; logical++) {
      const area = this.#areas(logical);
      const isIndex = this.#isIndexed && isIndexBlock(area, this.#rules, logical);
      const leaf = leaves?.get(logical);
      if (this.#isIndexed && !isIndex && leaf === undefined)
        throw this.#wrong('has a block that no index leads to');
      if (isIndex && !(index?.nodes.has(logical) ?? false))
        throw this.#wrong('has an index that nothing leads to');
      if (this.#seed !== undefined) {
        const holds = isIndex
          ? indexChecksumHolds(area, this.#rules, this.#seed)
          : leafChecksumHolds(area, this.#seed);
        if (!holds) throw this.#wrong('a block has a bad checksum');
      }
      this.#checkBlock(area, logical, leaf, index?.version ?? 0);
    }
  }

  #wrong(problem: string, details: Record<string, number> = {}): CorruptError {
    return new CorruptError(this.#what, problem, details);
  }

  #limits(): IndexLimits {
    const { features } = this.#volume.superblock;
    return {
      rules: this.#rules,
      count: this.#count,
      hasChecksums: this.#seed !== undefined,
      levels: mostLevels(has(features.incompat, incompat.largeDir)),
      block: this.#areas,
      wrong: () => this.#wrong('its index is damaged'),
    };
  }

  #checkBlock(area: EntryArea, logical: number, leaf: Leaf | undefined, version: number): void {
    const known = new Set<string>();
    let place = logical === 0 ? 0 : 2;
    scanAllEntries(area, this.#rules, false, this.#what, (offset, inode, nameLength, length) => {
      if (place < 2) {
        this.#checkDots(area, offset, inode, nameLength, length, place);
        place++;
        return false;
      }
      if (inode === 0) return false;
      const name = nameBytes(area.bytes, offset, nameLength);
      if (name.includes(0) || name.includes(slash) || isDots(area.bytes, offset, nameLength))
        throw this.#wrong('has a name that no file can have');
      const text = decodeText(name);
      if (known.has(text)) throw this.#wrong('has a name twice');
      known.add(text);
      this.#checkTarget(area, offset, inode, text);
      if (leaf === undefined) return false;
      const hash = this.#hashed.hash(name, version);
      if (hash === undefined || hash < leaf.least || hash > leaf.most)
        throw this.#wrong('has a name where its index does not look for it');
      return false;
    });
    if (place < 2) throw this.#wrong('lacks the names of itself and its parent');
  }

  /** `.` and `..` are the first entries, and the first is no longer than it need be. */
  #checkDots(
    area: EntryArea,
    offset: number,
    inode: number,
    nameLength: number,
    length: number,
    place: number,
  ): void {
    const { number } = this.#inode;
    const isRight = isDots(area.bytes, offset, nameLength) && nameLength === place + 1 && inode !== 0;
    if (!isRight || (place === 0 && (inode !== number || length !== 12)))
      throw this.#wrong('lacks the names of itself and its parent');
    const { names, above } = this.#found;
    if (this.#census.types[inode] !== directoryType) throw this.#wrong('names a parent that is none');
    this.#checkType(area, offset, inode);
    if (place === 1) above[number] = inode;
    names[inode] = (names[inode] ?? 0) + 1;
  }

  #checkTarget(area: EntryArea, offset: number, inode: number, name: string): void {
    const { types } = this.#census;
    const { names, parents } = this.#found;
    const { number } = this.#inode;
    if (inode < this.#volume.superblock.firstInode || types[inode] === 0)
      throw this.#wrong('names an inode that is not in use', { inode });
    this.#checkType(area, offset, inode);
    names[inode] = (names[inode] ?? 0) + 1;
    if (types[inode] !== directoryType) return;
    if (parents[inode] !== 0) throw this.#wrong('names a directory that another names', { inode });
    parents[inode] = number;
    if (number === reservedInodes.root && name === 'lost+found') this.#found.hasLostAndFound = true;
  }

  #checkType({ bytes }: EntryArea, offset: number, inode: number): void {
    const stored = bytes[offset + direntAt.file_type];
    const expected = this.#rules.typed ? this.#census.types[inode] : 0;
    if (stored !== expected) throw this.#wrong('has another type for an inode', { inode });
  }
}

interface IndexLimits {
  readonly rules: EntryRules;
  readonly count: number;
  readonly hasChecksums: boolean;
  readonly levels: number;
  readonly block: (logical: number) => EntryArea;
  readonly wrong: () => CorruptError;
}

/** The index of a directory: each block of it has one place, and hashes are in order. */
class IndexCheck {
  readonly leaves = new Map<number, Leaf>();
  readonly nodes = new Set<number>([0]);
  readonly version: number;
  readonly #limits: IndexLimits;

  constructor(root: EntryArea, limits: IndexLimits) {
    this.#limits = limits;
    this.version = root.bytes[hashTreeAt.info_hash_version] ?? 0;
    const levels = root.bytes[hashTreeAt.info_indirect_levels] ?? 0;
    const flags = root.bytes[hashTreeAt.info_indirect_levels + 1] ?? 0;
    if (
      countLimitAt(root, limits.rules) !== hashTreeAt.root_entries ||
      this.version > hashVersions.tea ||
      levels > limits.levels ||
      flags !== 0
    )
      throw limits.wrong();
    this.#walk(root, hashTreeAt.root_entries, levels, 0, 0xffff_ffff);
  }

  /** The entries of a node, at most three levels deep. Hashes with the lowest bit set go on with those before. */
  #walk({ view }: EntryArea, entriesAt: number, levels: number, least: number, most: number): void {
    const { rules, hasChecksums, wrong, count: blockCount, block } = this.#limits;
    const room = (rules.blockSize - entriesAt) / entrySize - (hasChecksums ? 1 : 0);
    const count = view.getUint16(entriesAt + hashTreeAt.count, true);
    if (view.getUint16(entriesAt, true) !== room || count === 0 || count > room) throw wrong();
    const hashAt = (index: number): number =>
      index === 0 ? least : view.getUint32(entriesAt + index * entrySize, true);
    for (let index = 0; index < count; index++) {
      work.entries.spend(1);
      const hash = hashAt(index);
      const next = index + 1 < count ? hashAt(index + 1) : undefined;
      if (next !== undefined && (next < hash || next > most)) throw wrong();
      const end = next === undefined ? most : next % 2 === 1 ? next - 1 : next - 2;
      const logical =
        view.getUint32(entriesAt + index * entrySize + hashTreeAt.entry_block, true) % 0x1000_0000;
      if (logical >= blockCount || this.nodes.has(logical) || this.leaves.has(logical)) throw wrong();
      if (levels === 0) {
        this.leaves.set(logical, { least: hash - (hash % 2), most: end });
        continue;
      }
      this.nodes.add(logical);
      const below = block(logical);
      if (countLimitAt(below, rules) !== hashTreeAt.node_entries) throw wrong();
      this.#walk(below, hashTreeAt.node_entries, levels - 1, hash, end);
    }
  }
}
