/** `inspect_get_icon`: a picture in the guest with the logo of its system. */
import { GuestfsError } from '../base/index.js';
import {
  type Icon,
  type IconGuest,
  type IconOptions,
  iconCandidates,
  iconIn,
  iconLimit,
} from '../formats/index.js';
import { readWhole, type Tree } from '../vfs/index.js';
import { findQuietly } from './text.js';
import { findAnyCase } from './windows.js';

/** The icon's bytes; empty without an icon. The guest's filesystems must be mounted in `tree`. */
export function findIcon(tree: Tree, guest: IconGuest, options: IconOptions = {}): Uint8Array {
  for (const candidate of iconCandidates(guest, options)) {
    const bytes = readIcon(tree, candidate);
    if (bytes !== undefined) return bytes;
  }
  return new Uint8Array();
}

/** A picture that passes the checks for an icon; undefined for all other files. */
function readIcon(tree: Tree, icon: Icon): Uint8Array | undefined {
  const path = icon.anyCase === true ? findAnyCase(tree, icon.path)?.path : icon.path;
  const place = path === undefined ? undefined : findQuietly(tree, path, true);
  if (place?.type !== 'file') return undefined;
  try {
    return iconIn(readWhole(place, iconLimit, icon.path), icon);
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'EFBIG') return undefined;
    throw thrown;
  }
}
