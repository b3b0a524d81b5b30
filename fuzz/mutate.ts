/** Damage to an image, and its undoing: what changes is small, so nothing large is ever copied. */
import type { Random } from './random.js';

const sectorLength = 512;
const interesting = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Sectors that hold anything but zeroes: damage elsewhere is mostly never seen. */
export function usedSectors(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const used: number[] = [];
  for (let at = 0; at < bytes.length; at += sectorLength) {
    const end = Math.min(at + sectorLength, bytes.length);
    for (let i = at; i + 4 <= end; i += 4) {
      if (view.getUint32(i) !== 0) {
        used.push(at);
        break;
      }
    }
  }
  return used.length > 0 ? used : [0];
}

/** Damages a few places; gives what puts them right again. */
export function damage(bytes: Uint8Array, sectors: readonly number[], random: Random): () => void {
  const saved: { at: number; bytes: Uint8Array }[] = [];
  const put = (at: number, changed: ArrayLike<number>): void => {
    const from = Math.max(0, Math.min(at, bytes.length - 1));
    const fitting = Array.from(changed).slice(0, bytes.length - from);
    saved.push({ at: from, bytes: bytes.slice(from, from + fitting.length) });
    bytes.set(fitting, from);
  };
  const count = 1 + random.below(random.pick([1, 4, 16]));
  for (let i = 0; i < count; i++) {
    const at = random.pick(sectors) + random.below(sectorLength);
    switch (random.below(6)) {
      case 0:
        put(at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
        break;
      case 1:
        put(at, [random.below(256)]);
        break;
      case 2:
        put(at, new Uint8Array(random.pick([1, 2, 4, 8, 64])).fill(random.pick([0, 0xff])));
        break;
      case 3: {
        const field = new DataView(new ArrayBuffer(8));
        const width = random.pick([2, 4, 8]);
        const little = random.below(2) === 0;
        const value = random.pick(interesting);
        if (width === 2) field.setUint16(0, value, little);
        else if (width === 4) field.setUint32(0, value, little);
        else field.setBigUint64(0, BigInt(value) << BigInt(random.pick([0, 0, 32])), little);
        put(at & ~(width - 1), new Uint8Array(field.buffer, 0, width));
        break;
      }
      case 4: {
        const from = random.pick(sectors);
        put(random.pick(sectors), bytes.slice(from, from + sectorLength));
        break;
      }
      default: {
        // A number that is a little off is often worse than one that is absurd.
        put(at, [((bytes[at] ?? 0) + random.pick([1, 255, 2, 16])) & 0xff]);
      }
    }
  }
  return () => {
    for (const { at, bytes: before } of saved.reverse()) bytes.set(before, at);
  };
}
