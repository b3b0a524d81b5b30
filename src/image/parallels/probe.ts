/** Recognises Parallels' expandable images. */
import { viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

export const magic = { bySectors: 'WithoutFreeSpace', byClusters: 'WithouFreSpacExt' } as const;
export const version = 2;

/** Where the version stands, behind the signature. */
const versionAt = 16;

/** Whether the file has a signature of Parallels', and the one version there is. */
export function probe(file: Disk): boolean {
  const head = readPart(file, 0, versionAt + 4);
  if (head.length < versionAt + 4) return false;
  const known = startsWith(head, magic.byClusters) || startsWith(head, magic.bySectors);
  return known && viewOf(head).getUint32(versionAt, true) === version;
}
