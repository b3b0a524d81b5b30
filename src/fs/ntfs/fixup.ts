/**
 * Fix-ups: the last two bytes of each 512 bytes of a protected structure are a number that changes with each write,
 * and stand themselves in an array of the structure. A write that was cut off is seen by that.
 */
import { CorruptError, checksumHolds, viewOf } from '../../base/index.js';
import { fixupUnit } from './layout.js';

/** Puts the bytes where they belong. `bytes`: the whole structure, whose array of `count` numbers is at `offset`. */
export function applyFixups(bytes: Uint8Array, offset: number, count: number, name: string): void {
  const units = bytes.length / fixupUnit;
  if (count !== units + 1 || offset % 2 !== 0 || offset + 2 * count > fixupUnit - 2)
    throw new CorruptError(name, 'has no valid fix-ups', { offset, count, size: bytes.length });
  const view = viewOf(bytes);
  const written = view.getUint16(offset, true);
  for (let unit = 1; unit <= units; unit++) {
    const at = unit * fixupUnit - 2;
    if (!checksumHolds(view.getUint16(at, true), written))
      throw new CorruptError(name, 'was not written as a whole', { unit: unit - 1 });
    view.setUint16(at, view.getUint16(offset + 2 * unit, true), true);
  }
}
