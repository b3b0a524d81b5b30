/** Recognises qcow. */
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

export const magic = 0x5146_49fb;
export const version = 1;

/** The magic and the version, by which it differs from qcow2. */
const signature = 'QFI\xfb\0\0\0\x01';

/** Whether the file has the magic of qcow, and its version. */
export function probe(file: Disk): boolean {
  return startsWith(readPart(file, 0, signature.length), signature);
}
