/**
 * The filters of .xz that make addresses in machine code relative again: "The .xz File Format" 1.2.1, section 5.3.2, and
 * the kernel's xz_dec_bcj.c. A compressor sees the same bytes for every call of a function where its address is absolute.
 */
import { UnsupportedError, viewOf } from '../../base/index.js';

/** Makes addresses relative, in place. `start`: the address of the first byte. */
type Branches = (code: Uint8Array, start: number) => void;

/** No filter looks at more bytes behind an instruction, so a beginning is right up to so many bytes before its end. */
export const branchReach = 16;

/**
 * Which of the three bytes before a call may have begun a call themselves: bit 0 for the nearest. A byte where another
 * call's address would lie is no call; 0 where the writer took it for one regardless.
 */
const callAllowed = [true, true, true, false, true, false, false, false];
/** For the same sets, how far from the highest byte of the address the other call's highest byte lies. */
const callOverlap = [0, 1, 2, 2, 3, 3, 3, 3];

/** The highest byte of a near address: it is a sign. */
const isSign = (byte: number | undefined): boolean => byte === 0 || byte === 0xff;

const x86: Branches = (code, start) => {
  const view = viewOf(code);
  let before = 0;
  let lastAt = -1;
  for (let at = 0; at + 4 < code.length; at++) {
    if (((code[at] as number) & 0xfe) !== 0xe8) continue; // safe: just bounded, as are those below
    const gap = at - lastAt;
    lastAt = at;
    before = gap > 3 ? 0 : (before << (gap - 1)) & 7;
    const overlap = callOverlap[before] ?? 0;
    const isTaken = before !== 0 && (!callAllowed[before] || isSign(code[at + 4 - overlap]));
    if (isTaken || !isSign(code[at + 4])) {
      before = (before << 1) | 1;
      continue;
    }
    let address = view.getUint32(at + 1, true);
    for (;;) {
      const relative = (address - (start + at + 5)) >>> 0;
      const isSafe = before === 0 || !isSign((relative >>> (24 - overlap * 8)) & 0xff);
      if (isSafe) {
        view.setUint32(at + 1, (relative << 7) >> 7, true);
        break;
      }
      address = (relative ^ (2 ** (32 - overlap * 8) - 1)) >>> 0;
    }
    at += 4;
  }
};

const arm: Branches = (code, start) => {
  const view = viewOf(code);
  for (let at = 0; at + 4 <= code.length; at += 4) {
    const word = view.getUint32(at, true);
    if (word >>> 24 !== 0xeb) continue;
    const address = (word - ((start + at + 8) >>> 2)) & 0xffffff;
    view.setUint32(at, (0xeb000000 | address) >>> 0, true);
  }
};

const armThumb: Branches = (code, start) => {
  const view = viewOf(code);
  for (let at = 0; at + 4 <= code.length; at += 2) {
    const high = view.getUint16(at, true);
    const low = view.getUint16(at + 2, true);
    if ((high & 0xf800) !== 0xf000 || (low & 0xf800) !== 0xf800) continue;
    const address = (((high & 0x7ff) << 11) | (low & 0x7ff)) - ((start + at + 4) >>> 1);
    view.setUint16(at, 0xf000 | ((address >>> 11) & 0x7ff), true);
    view.setUint16(at + 2, 0xf800 | (address & 0x7ff), true);
    at += 2;
  }
};

const arm64: Branches = (code, start) => {
  const view = viewOf(code);
  for (let at = 0; at + 4 <= code.length; at += 4) {
    const word = view.getUint32(at, true);
    const place = start + at;
    if (word >>> 26 === 0x25) {
      view.setUint32(at, (0x94000000 | ((word - (place >>> 2)) & 0x3ffffff)) >>> 0, true);
      continue;
    }
    if ((word & 0x9f000000) >>> 0 !== 0x90000000) continue;
    // The address of a page, of which those within half a gibibyte were converted.
    const page = ((word >>> 29) & 3) | ((word >>> 3) & 0x1ffffc);
    if (((page + 0x20000) & 0x1c0000) !== 0) continue;
    const relative = page - (place >>> 12);
    const sign = (relative & 0x20000) !== 0 ? 0xe00000 : 0;
    const bits = ((relative & 3) << 29) | ((relative & 0x3fffc) << 3) | sign;
    view.setUint32(at, ((word & 0x9000001f) | bits) >>> 0, true);
  }
};

const powerPc: Branches = (code, start) => {
  const view = viewOf(code);
  for (let at = 0; at + 4 <= code.length; at += 4) {
    const word = view.getUint32(at);
    if ((word & 0xfc000003) >>> 0 !== 0x48000001) continue;
    view.setUint32(at, (0x48000001 | ((word - (start + at)) & 0x3fffffc)) >>> 0);
  }
};

const sparc: Branches = (code, start) => {
  const view = viewOf(code);
  for (let at = 0; at + 4 <= code.length; at += 4) {
    const word = view.getUint32(at);
    if (word >>> 22 !== 0x100 && word >>> 22 !== 0x1ff) continue;
    const relative = ((word << 2) - (start + at)) >>> 2;
    const sign = (0x40000000 - (relative & 0x400000)) & 0x3fc00000;
    view.setUint32(at, (0x40000000 | sign | (relative & 0x3fffff)) >>> 0);
  }
};

interface BranchFilter {
  readonly name: string;
  /** Undefined where it is known by name alone. */
  readonly apply?: Branches;
}

const filters: ReadonlyMap<number, BranchFilter> = new Map<number, BranchFilter>([
  [3, { name: 'delta' }],
  [4, { name: 'x86', apply: x86 }],
  [5, { name: 'powerpc', apply: powerPc }],
  [6, { name: 'ia64' }],
  [7, { name: 'arm', apply: arm }],
  [8, { name: 'armthumb', apply: armThumb }],
  [9, { name: 'sparc', apply: sparc }],
  [10, { name: 'arm64', apply: arm64 }],
  [11, { name: 'riscv' }],
]);

/** The filter of this id. UnsupportedError for one that is not implemented. */
export function branchFilter(id: number): Branches {
  const filter = filters.get(id);
  if (filter?.apply === undefined)
    throw new UnsupportedError('xz file', [`filter ${filter?.name ?? `0x${id.toString(16)}`}`]);
  return filter.apply;
}
