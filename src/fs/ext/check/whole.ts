/**
 * All of a filesystem looked at, by the rules of e2fsck -f (e2fsck/pass1.c to pass5.c): whatever that would repair, and
 * what is not looked at here, is refused. Nothing is written.
 */
import { UnsupportedError } from '../../../base/index.js';
import { compat, featureNames, incompat, roCompat } from '../features.js';
import type { ExtVolume } from '../volume.js';
import { checkBitmaps } from './bitmaps.js';
import { Claims, claimStructures } from './claims.js';
import { checkDirectories } from './directories.js';
import { takeCensus } from './inodes.js';

const looked = {
  compat: compat.hasJournal | compat.extAttr | compat.resizeInode | compat.dirIndex,
  incompat:
    incompat.filetype |
    incompat.extents |
    incompat.sixtyFourBit |
    incompat.flexGroups |
    incompat.checksumSeed |
    incompat.largeDir,
  roCompat:
    roCompat.sparseSuper |
    roCompat.largeFile |
    roCompat.hugeFile |
    roCompat.groupChecksums |
    roCompat.dirNlink |
    roCompat.extraIsize |
    roCompat.metadataChecksums,
};

/** CorruptError for the first thing that is not in order, UnsupportedError for features that are not looked at. */
export function checkWhole(volume: ExtVolume): void {
  const { features, createdByHurd, raw } = volume.superblock;
  const others = featureNames({
    compat: features.compat & ~looked.compat,
    incompat: features.incompat & ~looked.incompat,
    roCompat: features.roCompat & ~looked.roCompat,
  });
  if (others.length > 0 || createdByHurd || raw.s_rev_level === 0)
    throw new UnsupportedError(
      'checking an ext filesystem',
      others.length > 0 ? others.map((name) => `all of one with ${name}`) : ['all of one of an old kind'],
      { elsewhere: 'appliance' },
    );
  const claims = new Claims(volume);
  claimStructures(volume, claims);
  const census = takeCensus(volume, claims);
  checkDirectories(volume, census);
  checkBitmaps(volume, claims, census);
}
