/**
 * Unpacks `.Z` files: LZW as written by the Unix program compress. Sources: compress(1) of POSIX, and what gzip
 * accepts. Codes begin with 9 bits and grow up to the number in the header. They are stored in groups of eight; the
 * rest of a group is skipped when the width changes.
 */
import { CorruptError, UnsupportedError } from './errors.js';
import { work } from './work.js';

const headerLength = 3;
const firstWidth = 9;
const clearCode = 256;

/** Codes of growing width, least significant bit first. */
class CodeReader {
  readonly #bytes: Uint8Array;
  #at = headerLength * 8;
  #groupStart = this.#at;
  width = firstWidth;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next code; undefined if the file ends before or in it. */
  next(): number | undefined {
    if (this.#at + this.width > this.#bytes.length * 8) return undefined;
    const first = this.#at >>> 3;
    const [low = 0, middle = 0, high = 0] = [
      this.#bytes[first],
      this.#bytes[first + 1],
      this.#bytes[first + 2],
    ];
    const code = ((low | (middle << 8) | (high << 16)) >>> (this.#at & 7)) & ((1 << this.width) - 1);
    this.#at += this.width;
    return code;
  }

  /** Skips the rest of the group, and continues with codes of another width. */
  changeWidth(width: number): void {
    const groupLength = this.width * 8;
    this.#at = this.#groupStart + Math.ceil((this.#at - this.#groupStart) / groupLength) * groupLength;
    this.#groupStart = this.#at;
    this.width = width;
  }
}

interface LzwOptions {
  /** How many bytes of the contents are enough; more may be returned. All by default. */
  readonly enough?: number | undefined;
  /** The largest allowed contents in bytes. UnsupportedError beyond. */
  readonly limit: number;
}

/** The contents of a `.Z` file. CorruptError for an invalid code. */
export function decodeLzw(packed: Uint8Array, { enough, limit }: LzwOptions): Uint8Array {
  const flags = packed[2] ?? 0;
  const widest = flags & 0x1f;
  const canClear = (flags & 0x80) !== 0;
  if (widest < firstWidth || widest > 16) {
    throw new UnsupportedError('.Z file', [`codes of up to ${widest} bits`]);
  }
  // The meaning of a code: another code and one more byte.
  const prefixes = new Uint16Array(1 << widest);
  const lasts = Uint8Array.from({ length: 1 << widest }, (_, code) => code & 0xff);
  const reversed = new Uint8Array(1 << widest);
  const codes = new CodeReader(packed);
  const firstFree = canClear ? clearCode + 1 : clearCode;
  let free = firstFree;
  let previous = -1;
  let firstByte = 0;
  let out = new Uint8Array(Math.max(4096, packed.length * 3));
  let length = 0;
  while (enough === undefined || length < enough) {
    if (free >= 1 << codes.width && codes.width < widest) codes.changeWidth(codes.width + 1);
    const read = codes.next();
    if (read === undefined) break;
    work.steps.spend(1);
    if (read === clearCode && canClear && previous >= 0) {
      codes.changeWidth(firstWidth);
      // The first code after it would make an entry that is never used.
      free = firstFree - 1;
      continue;
    }
    if (read > free || (previous < 0 && read > 0xff)) {
      throw new CorruptError('.Z file', `code ${read} stands for nothing yet`, {});
    }
    let count = 0;
    let code = read;
    // The code that is being defined now: the last string, and its first byte again.
    if (read === free && previous >= 0) {
      reversed[count++] = firstByte;
      code = previous;
    }
    for (; code > 0xff; code = prefixes[code] ?? 0) reversed[count++] = lasts[code] ?? 0;
    firstByte = code;
    reversed[count++] = code;
    if (length + count > limit)
      throw new UnsupportedError('.Z file', [`expanding to more than ${limit} bytes`]);
    if (length + count > out.length) {
      const larger = new Uint8Array(2 * out.length + count);
      larger.set(out);
      out = larger;
    }
    while (count > 0) out[length++] = reversed[--count] ?? 0;
    if (previous >= 0 && free < 1 << widest) {
      prefixes[free] = previous;
      lasts[free] = firstByte;
      free++;
    }
    previous = read;
  }
  return out.subarray(0, length);
}
