/** Recognises qcow2. */
import { viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { qcow2Layout } from '../../formats/index.js';
import { readPart } from '../signature.js';

/** Whether the file has the magic of qcow2, and a version of it. */
export function probe(file: Disk): boolean {
  const head = readPart(file, 0, 8);
  if (head.length < 8) return false;
  const view = viewOf(head);
  return view.getUint32(0) === qcow2Layout.magic && view.getUint32(4) >= 2;
}
