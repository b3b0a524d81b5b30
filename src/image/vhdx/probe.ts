/** Recognises VHDX. */
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

const signature = 'vhdxfile';

/** Whether the file begins with the file type identifier of a VHDX. */
export function probe(file: Disk): boolean {
  return startsWith(readPart(file, 0, signature.length), signature);
}
