/** Bitmaps: bit `n` is bit `n & 7` of byte `n >>> 3`. */

/** Sets or clears bits `from` up to `to`; how many were otherwise. */
export function setBits(bytes: Uint8Array, from: number, to: number, value: boolean): number {
  const whole = value ? 0xff : 0;
  let changed = 0;
  for (let index = from; index < to; ) {
    const byte = bytes[index >>> 3] ?? 0;
    if ((index & 7) === 0 && index + 8 <= to && byte === 0xff - whole) {
      bytes[index >>> 3] = whole;
      changed += 8;
      index += 8;
      continue;
    }
    const mask = 1 << (index & 7);
    if (((byte & mask) !== 0) !== value) {
      bytes[index >>> 3] = byte ^ mask;
      changed++;
    }
    index++;
  }
  return changed;
}

/**
 * The first run of at least `least` clear bits at or behind `from`, cut at `most`; bits of `held` count as set. Empty
 * where there is none.
 */
export function runFrom(
  bytes: Uint8Array,
  held: Uint8Array | undefined,
  from: number,
  end: number,
  least: number,
  most = least,
): [first: number, after: number] | [] {
  const at = (index: number): number => (bytes[index] ?? 0) | (held?.[index] ?? 0);
  for (let index = from; index < end; ) {
    // To the next clear bit …
    if ((index & 7) === 0 && at(index >>> 3) === 0xff) {
      index += 8;
      continue;
    }
    if ((at(index >>> 3) >>> (index & 7)) & 1) {
      index++;
      continue;
    }
    // … and to the end of its run.
    const first = index;
    const enough = Math.min(end, first + most);
    while (index < enough) {
      if ((index & 7) === 0 && at(index >>> 3) === 0) index += 8;
      else if (((at(index >>> 3) >>> (index & 7)) & 1) === 0) index++;
      else break;
    }
    index = Math.min(index, enough);
    if (index - first >= least) return [first, index];
    index++;
  }
  return [];
}
