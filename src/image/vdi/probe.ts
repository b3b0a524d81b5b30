/** Recognises VDI. */
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

/** The signature, as its bytes lie in the file. */
const mark = { at: 64, bytes: '\x7f\x10\xda\xbe' } as const;

/** Whether the file has the signature of a VDI. */
export function probe(file: Disk): boolean {
  return startsWith(readPart(file, mark.at, mark.bytes.length), mark.bytes);
}
