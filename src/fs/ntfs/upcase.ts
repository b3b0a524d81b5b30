/** The order of names: by their upper case, which the file `$UpCase` tells of each character. */
import { CorruptError, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';

const mostCharacters = 65_536;

export class UpCase {
  readonly #table = new Uint16Array(mostCharacters);

  /** `contents`: of the file. Characters behind its end have no other case. */
  constructor(contents: Disk) {
    if (contents.size > 2 * mostCharacters || contents.size % 2 !== 0)
      throw new CorruptError('NTFS table of upper case', 'has no valid size', { size: contents.size });
    const bytes = new Uint8Array(contents.size);
    contents.read(bytes, 0);
    const view = viewOf(bytes);
    for (let unit = 0; unit < mostCharacters; unit++)
      this.#table[unit] = 2 * unit < bytes.length ? view.getUint16(unit * 2, true) : unit;
  }

  /** The upper case of a unit of UTF-16. */
  of(unit: number): number {
    return this.#table[unit] ?? unit;
  }

  /**
   * Compares a name with one of `length` units at `at`: by upper case, then by length, then by the first units that
   * differ. Below 0, 0 or above 0; without `caseSensitive` names that differ in case alone are equal.
   */
  compare(name: string, view: DataView, at: number, length: number, caseSensitive: boolean): number {
    const common = Math.min(name.length, length);
    let difference = 0;
    for (let i = 0; i < common; i++) {
      const one = name.charCodeAt(i);
      const other = view.getUint16(at + 2 * i, true);
      if (one === other) continue;
      const byCase = this.of(one) - this.of(other);
      if (byCase !== 0) return byCase;
      if (difference === 0) difference = one - other;
    }
    return name.length - length || (caseSensitive ? difference : 0);
  }
}
