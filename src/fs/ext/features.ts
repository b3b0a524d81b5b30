/**
 * The feature flags of the superblock and their names in mke2fs and tune2fs. A compatible feature may be ignored, a
 * read-only-compatible one by readers, an incompatible one never.
 */
import { GuestfsError, UnsupportedError } from '../../base/index.js';

export const compat = {
  dirPrealloc: 0x1,
  hasJournal: 0x4,
  extAttr: 0x8,
  resizeInode: 0x10,
  dirIndex: 0x20,
  sparseSuper2: 0x200,
  fastCommit: 0x400,
  stableInodes: 0x800,
  orphanFile: 0x1000,
} as const;

export const incompat = {
  compression: 0x1,
  filetype: 0x2,
  needsRecovery: 0x4,
  journalDevice: 0x8,
  metaGroups: 0x10,
  extents: 0x40,
  sixtyFourBit: 0x80,
  mmp: 0x100,
  flexGroups: 0x200,
  eaInode: 0x400,
  dirData: 0x1000,
  checksumSeed: 0x2000,
  largeDir: 0x4000,
  inlineData: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const;

export const roCompat = {
  sparseSuper: 0x1,
  largeFile: 0x2,
  btreeDir: 0x4,
  hugeFile: 0x8,
  groupChecksums: 0x10,
  dirNlink: 0x20,
  extraIsize: 0x40,
  quota: 0x100,
  bigalloc: 0x200,
  metadataChecksums: 0x400,
  readOnly: 0x1000,
  project: 0x2000,
  sharedBlocks: 0x4000,
  verity: 0x8000,
  orphanPresent: 0x10000,
} as const;

/** The names, each set by bit number. */
const compatNames: Readonly<Record<number, string>> = {
  0: 'dir_prealloc',
  1: 'imagic_inodes',
  2: 'has_journal',
  3: 'ext_attr',
  4: 'resize_inode',
  5: 'dir_index',
  6: 'lazy_bg',
  8: 'snapshot_bitmap',
  9: 'sparse_super2',
  10: 'fast_commit',
  11: 'stable_inodes',
  12: 'orphan_file',
};
const roCompatNames: Readonly<Record<number, string>> = {
  0: 'sparse_super',
  1: 'large_file',
  3: 'huge_file',
  4: 'uninit_bg',
  5: 'dir_nlink',
  6: 'extra_isize',
  7: 'snapshot',
  8: 'quota',
  9: 'bigalloc',
  10: 'metadata_csum',
  11: 'replica',
  12: 'read-only',
  13: 'project',
  14: 'shared_blocks',
  15: 'verity',
  16: 'orphan_present',
};
const incompatNames: Readonly<Record<number, string>> = {
  0: 'compression',
  1: 'filetype',
  2: 'needs_recovery',
  3: 'journal_dev',
  4: 'meta_bg',
  6: 'extent',
  7: '64bit',
  8: 'mmp',
  9: 'flex_bg',
  10: 'ea_inode',
  12: 'dirdata',
  13: 'metadata_csum_seed',
  14: 'large_dir',
  15: 'inline_data',
  16: 'encrypt',
  17: 'casefold',
};

/** The names of the bits of `mask`; a bit without a name is `FEATURE_` and a letter for the set and its number. */
function names(mask: number, table: Readonly<Record<number, string>>, letter: string): string[] {
  const found: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if ((mask >>> bit) & 1) found.push(table[bit] ?? `FEATURE_${letter}${bit}`);
  }
  return found;
}

/** Names that mean the same as another. */
const otherNames: Readonly<Record<string, string>> = {
  extents: 'extent',
  uninit_groups: 'uninit_bg',
  csum_seed: 'metadata_csum_seed',
  fname_encoding: 'casefold',
};

/** The features that mke2fs is willing to turn on and off. */
const choosable: FeatureMasks = {
  compat:
    compat.hasJournal |
    compat.extAttr |
    compat.resizeInode |
    compat.dirIndex |
    compat.sparseSuper2 |
    compat.fastCommit |
    compat.stableInodes |
    compat.orphanFile,
  incompat:
    incompat.filetype |
    incompat.journalDevice |
    incompat.metaGroups |
    incompat.extents |
    incompat.sixtyFourBit |
    incompat.mmp |
    incompat.flexGroups |
    incompat.eaInode |
    incompat.checksumSeed |
    incompat.largeDir |
    incompat.inlineData |
    incompat.encrypt |
    incompat.casefold,
  roCompat:
    roCompat.sparseSuper |
    roCompat.largeFile |
    roCompat.hugeFile |
    roCompat.groupChecksums |
    roCompat.dirNlink |
    roCompat.extraIsize |
    roCompat.quota |
    roCompat.bigalloc |
    roCompat.metadataChecksums |
    roCompat.project |
    roCompat.verity,
};

/** The three masks as stored. */
export interface FeatureMasks {
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
}

/** All names in the order in which tune2fs lists them. */
export function featureNames(masks: FeatureMasks): string[] {
  return [
    ...names(masks.compat, compatNames, 'C'),
    ...names(masks.incompat, incompatNames, 'I'),
    ...names(masks.roCompat, roCompatNames, 'R'),
  ];
}

/** The bit of a feature's name in a table; 0 if it has none of that name. */
function bitOf(table: Readonly<Record<number, string>>, name: string): number {
  const entry = Object.entries(table).find(([, known]) => known === name);
  return entry === undefined ? 0 : 2 ** Number(entry[0]);
}

/**
 * Features changed as mke2fs reads them after `-O`: names with commas or blanks between them, `^` in front of one that
 * is turned off, `none` for no feature at all. EINVAL for a name that means nothing or that nobody may choose.
 */
export function editFeatures(masks: FeatureMasks, text: string): FeatureMasks {
  let { compat: c, incompat: i, roCompat: r } = masks;
  for (const word of text.split(/[\s,]+/).filter((part) => part !== '')) {
    if (word.toLowerCase() === 'none') {
      [c, i, r] = [0, 0, 0];
      continue;
    }
    const off = word.startsWith('^') || word.startsWith('-');
    const given = word.replace(/^[-^+]/, '').toLowerCase();
    const name = otherNames[given] ?? given;
    const bits: FeatureMasks = {
      compat: bitOf(compatNames, name) & choosable.compat,
      incompat: bitOf(incompatNames, name) & choosable.incompat,
      roCompat: bitOf(roCompatNames, name) & choosable.roCompat,
    };
    if ((bits.compat | bits.incompat | bits.roCompat) === 0)
      throw new GuestfsError('EINVAL', `invalid filesystem option set: ${word}`);
    c = off ? c & ~bits.compat : c | bits.compat;
    i = off ? i & ~bits.incompat : i | bits.incompat;
    r = off ? r & ~bits.roCompat : r | bits.roCompat;
  }
  return { compat: c, incompat: i, roCompat: r };
}

/**
 * The features that this driver reads: all that the kernel mounts. Compression and dirdata never were in the kernel.
 */
const readableIncompat =
  incompat.filetype |
  incompat.needsRecovery |
  incompat.metaGroups |
  incompat.extents |
  incompat.sixtyFourBit |
  incompat.mmp |
  incompat.flexGroups |
  incompat.eaInode |
  incompat.checksumSeed |
  incompat.largeDir |
  incompat.inlineData |
  incompat.encrypt |
  incompat.casefold;

/** The read-only-compatible features with which the kernel writes; with others it leaves orphans alone. */
const writableRoCompat =
  roCompat.sparseSuper |
  roCompat.largeFile |
  roCompat.btreeDir |
  roCompat.hugeFile |
  roCompat.groupChecksums |
  roCompat.dirNlink |
  roCompat.extraIsize |
  roCompat.quota |
  roCompat.bigalloc |
  roCompat.metadataChecksums |
  roCompat.project |
  roCompat.verity |
  roCompat.orphanPresent;

/** Refuses a filesystem with unknown features that readers cannot ignore. */
export function checkReadable(masks: FeatureMasks): void {
  const unknown = (masks.incompat & ~readableIncompat) >>> 0;
  if (unknown !== 0) throw new UnsupportedError('ext4 filesystem', names(unknown, incompatNames, 'I'));
}

/** Whether the kernel would write to such a filesystem. */
export function isWritableByKernel(masks: FeatureMasks): boolean {
  return (masks.roCompat & ~writableRoCompat) === 0 && (masks.roCompat & roCompat.readOnly) === 0;
}
