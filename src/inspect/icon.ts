/** `inspect_get_icon`: a PNG file in the guest with the logo of its system. */
import { GuestfsError } from '../base/index.js';
import { type Icon, type IconOptions, iconCandidates, iconLimit, isIcon } from '../formats/index.js';
import { readWhole, type Tree } from '../vfs/index.js';
import { findQuietly } from './text.js';

/** The icon's bytes; empty without an icon. The guest's filesystems must be mounted in `tree`. */
export function findIcon(
  tree: Tree,
  guest: Parameters<typeof iconCandidates>[0],
  options: IconOptions = {},
): Uint8Array {
  for (const candidate of iconCandidates(guest, options)) {
    const bytes = readIcon(tree, candidate);
    if (bytes !== undefined) return bytes;
  }
  return new Uint8Array();
}

/** A picture that passes the checks for an icon; undefined for all other files. */
function readIcon(tree: Tree, icon: Icon): Uint8Array | undefined {
  const place = findQuietly(tree, icon.path, true);
  if (place?.type !== 'file') return undefined;
  try {
    const bytes = readWhole(place, iconLimit, icon.path);
    return isIcon(bytes, icon) ? bytes : undefined;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'EFBIG') return undefined;
    throw thrown;
  }
}
