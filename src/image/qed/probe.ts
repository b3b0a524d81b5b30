/** Recognises QED. */
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

export const magic = 'QED\0';

/** Whether the file has the magic of QED. */
export function probe(file: Disk): boolean {
  return startsWith(readPart(file, 0, magic.length), magic);
}
