/**
 * Which features a filesystem has, from the two sets of flags: version 4 has them in `sb_versionnum` and
 * `sb_features2`, version 5 in masks of its own (the kernel's fs/xfs/libxfs/xfs_sb.c, xfs_sb_version_to_features).
 */
import { CorruptError, type Decoded, UnsupportedError } from '../../base/index.js';
import {
  features2,
  incompat,
  logIncompat,
  roCompat,
  type superblock,
  versionFlags,
  versionMask,
} from './layout.js';

export type RawSuperblock = Decoded<typeof superblock.fields>;

export function has(mask: number, flag: number): boolean {
  return (mask & flag) !== 0;
}

/** The features that are incompatible with readers that do not know them, by bit. */
const incompatNames: Readonly<Record<number, string>> = {
  0: 'ftype',
  1: 'spinodes',
  2: 'metauuid',
  3: 'bigtime',
  4: 'needsrepair',
  5: 'nrext64',
  6: 'exchange',
  7: 'parent',
  8: 'metadir',
  9: 'zoned',
  10: 'zone_gaps',
};

const readableIncompat =
  incompat.ftype |
  incompat.sparseInodes |
  incompat.metaUuid |
  incompat.bigtime |
  incompat.needsRepair |
  incompat.nrext64 |
  incompat.exchangeRange |
  incompat.parentPointers;

export interface Features {
  /** 4 or 5. Version 5 has checksums, and each block says whose it is. */
  readonly version: 4 | 5;
  readonly attributes: boolean;
  readonly attr2: boolean;
  /** Whether directory entries have the file's type. */
  readonly ftype: boolean;
  /** Names are compared without regard to case in ASCII and Latin-1. */
  readonly caseInsensitive: boolean;
  readonly projid32: boolean;
  readonly lazyCounters: boolean;
  readonly logVersion2: boolean;
  readonly sectors: boolean;
  readonly finobt: boolean;
  readonly rmapbt: boolean;
  readonly reflink: boolean;
  readonly inobtCounts: boolean;
  readonly sparseInodes: boolean;
  readonly metaUuid: boolean;
  readonly bigtime: boolean;
  readonly nrext64: boolean;
  readonly exchangeRange: boolean;
  readonly parentPointers: boolean;
  /** The log may have changes of users' attributes that are begun. */
  readonly loggedAttributes: boolean;
}

/** The features. CorruptError for an impossible version, UnsupportedError for what is not implemented. */
export function featuresOf(raw: RawSuperblock): Features {
  const { sb_versionnum: flags } = raw;
  const version = flags & versionMask;
  const what = 'XFS filesystem';
  if (version < 1 || version > 5)
    throw new CorruptError('XFS superblock', 'has no known version', { version });
  if (version < 4) throw new UnsupportedError(what, [`version ${version}`], { elsewhere: 'nowhere' });
  if (!has(flags, versionFlags.directoryVersion2))
    throw new UnsupportedError(what, ['directories of version 1'], { elsewhere: 'nowhere' });
  if (has(flags, versionFlags.shared)) throw new UnsupportedError(what, ['shared'], { elsewhere: 'nowhere' });
  const is5 = version === 5;
  // Version 4 was once stored with the second mask at another place, so the kernel joins the two.
  const more = has(flags, versionFlags.moreBits) ? raw.sb_features2 | raw.sb_bad_features2 : 0;
  const compatible = is5 ? raw.sb_features_ro_compat : 0;
  const incompatible = is5 ? raw.sb_features_incompat : 0;
  const unknown = (incompatible & ~readableIncompat) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(what, namesOf(unknown));
  if (has(incompatible, incompat.needsRepair))
    throw new CorruptError('XFS filesystem', 'is marked as needing a repair by xfs_repair');
  return {
    version: is5 ? 5 : 4,
    attributes: is5 || has(flags, versionFlags.attributes),
    attr2: is5 || has(more, features2.attr2),
    ftype: is5 ? has(incompatible, incompat.ftype) : has(more, features2.ftype),
    caseInsensitive: has(flags, versionFlags.asciiCaseInsensitive),
    projid32: is5 || has(more, features2.projid32),
    lazyCounters: is5 || has(more, features2.lazyCounters),
    logVersion2: is5 || has(flags, versionFlags.logVersion2),
    sectors: has(flags, versionFlags.sectors),
    finobt: has(compatible, roCompat.finobt),
    rmapbt: has(compatible, roCompat.rmapbt),
    reflink: has(compatible, roCompat.reflink),
    inobtCounts: has(compatible, roCompat.inobtCounts),
    sparseInodes: has(incompatible, incompat.sparseInodes),
    metaUuid: has(incompatible, incompat.metaUuid),
    bigtime: has(incompatible, incompat.bigtime),
    nrext64: has(incompatible, incompat.nrext64),
    exchangeRange: has(incompatible, incompat.exchangeRange),
    parentPointers: has(incompatible, incompat.parentPointers),
    loggedAttributes: is5 && has(raw.sb_features_log_incompat, logIncompat.attributes),
  };
}

/** UnsupportedError where the log, which is to be replayed, may hold what is not implemented. */
export function checkLogFeatures({ sb_features_log_incompat: mask }: RawSuperblock, version: number): void {
  const unknown = (mask & ~logIncompat.attributes) >>> 0;
  if (version === 5 && unknown !== 0)
    throw new UnsupportedError('XFS log', [`incompatible features of its log ${unknown}`]);
}

function namesOf(mask: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++)
    if ((mask >>> bit) & 1) names.push(incompatNames[bit] ?? `incompatible feature bit ${bit}`);
  return names;
}
