/**
 * Repairs a qcow2 image: counts and flags are made what the tables that map the disk say. Counts are raised first and
 * lowered last, so that a crash in between leaves an image that is no worse.
 */
import { CorruptError } from '../../../base/index.js';
import type { GrowableDisk } from '../../../disk/index.js';
import { qcow2Layout } from '../../../formats/index.js';
import { readHeader } from '../header.js';
import { checkQcow2 } from './check.js';
import { clearFeatures, openParts } from './writable.js';

const { incompatible } = qcow2Layout;
const budget = 2 * 1024 * 1024;

/** Throws CorruptError, having changed nothing, where an image has damage that its tables do not tell how to repair. */
export function repairQcow2(file: GrowableDisk, what: 'leaks' | 'all'): void {
  const header = readHeader(file);
  const { references, lost, corruptions, problems } = checkQcow2(file, header);
  if (lost > 0)
    throw new CorruptError('qcow2 image', `cannot be repaired: ${problems[0] ?? 'it is damaged'}`, { lost });
  if (what === 'leaks' && corruptions > 0)
    throw new CorruptError('qcow2 image', `has more than leaks: ${problems[0] ?? 'it is damaged'}`, {
      corruptions,
    });
  const { allocator, counts, file: image } = openParts(file, file, header, { budget, backingSize: 0 });
  if (what === 'all') {
    counts.raise(references);
    allocator.correctFlags(references);
    allocator.flush(() => {});
  }
  counts.lower(references);
  image.flush();
  if (what === 'all' && header.version >= 3) clearFeatures(image, incompatible.dirty | incompatible.corrupt);
  image.flush();
}
