/** Recognises VHD. */
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

/** The first bytes of a footer, and of the copy of it that a file with blocks begins with. */
export const footerCookie = 'conectix';

/** Whether a file begins with a footer. A fixed disk has one at its end alone, and passes for a raw disk, as in qemu. */
export function probe(file: Disk): boolean {
  return startsWith(readPart(file, 0, footerCookie.length), footerCookie);
}
