/** LZMA2: chunks of LZMA that share a dictionary. "The .xz File Format" 1.2.1, section 5.3.1. */
import { work } from '../../base/index.js';
import { corruptLzma, LzmaDecoder, lzmaProperties } from './lzma.js';

/** Compressed bytes of a chunk. */
const mostPacked = 65_536;
/** Of lc and lp together. */
const mostLiteralBits = 4;

/** Decodes LZMA2 chunks into one growing output. */
export class Lzma2Decoder {
  readonly #lzma: LzmaDecoder;
  readonly #enough: number;
  #needsDictionary = true;
  #needsProperties = true;
  #needsState = true;

  /**
   * `limit`: the most bytes of output. `enough`: after this many bytes no further chunk is decoded. One that is not
   * streamed must be done, and lend its output, before the next one begins.
   */
  constructor(limit: number, { enough = Number.POSITIVE_INFINITY, isStreamed = false } = {}) {
    this.#lzma = new LzmaDecoder({ limit, mostPacked, literalBits: mostLiteralBits, isStreamed });
    this.#enough = enough;
  }

  /** All that came out, valid until another decodes. Nothing can be decoded by this one afterwards. */
  lend(): Uint8Array {
    return this.#lzma.lend();
  }

  /** How many bytes of output are held. */
  get length(): number {
    return this.#lzma.length;
  }

  /** Lets go of all output but the last `keep` bytes, to which later chunks may refer. */
  forget(keep: number): void {
    this.#lzma.forget(keep);
  }

  get hasEnough(): boolean {
    return this.length >= this.#enough;
  }

  /** All that came out so far, until there is more. */
  get output(): Uint8Array {
    return this.#lzma.output;
  }

  /**
   * Decodes one block's chunks, from `at` to the end marker or until there is enough; returns the offset of the next
   * byte.
   */
  decode(bytes: Uint8Array, at: number): number {
    this.beginBlock();
    for (;;) {
      work.checkpoint();
      if (this.hasEnough) return at;
      if (at >= bytes.length) throw corruptLzma('is cut short');
      if (bytes[at] === 0) return at + 1;
      at = this.decodeChunk(bytes, at);
    }
  }

  /** A new block begins: its first chunk resets everything. */
  beginBlock(): void {
    this.#needsDictionary = true;
    this.#needsProperties = true;
    this.#needsState = true;
  }

  /** Decodes the chunk at `at`, of which all bytes must be there; returns the offset of the next one. */
  decodeChunk(bytes: Uint8Array, at: number): number {
    const lzma = this.#lzma;
    const need = (end: number): number => {
      if (end > bytes.length) throw corruptLzma('is cut short');
      return end;
    };
    const control = bytes[at] as number; // safe: the caller has looked at it
    if (control >= 0x80) {
      need(at + 5);
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, 5);
      const size = ((control & 0x1f) << 16) + view.getUint16(1) + 1;
      const packed = view.getUint16(3) + 1;
      at = this.#reset(control, bytes, at + 5);
      lzma.grow(size);
      lzma.start(bytes.subarray(at, need(at + packed)));
      if (!lzma.decode(size)) throw corruptLzma('has an end marker inside a chunk');
      if (!lzma.finished) throw corruptLzma('a chunk has more than it says');
      return at + packed;
    }
    if (control > 2) throw corruptLzma(`a chunk has the unknown control byte ${control}`);
    if (control === 1) this.#resetDictionary();
    else if (this.#needsDictionary) throw corruptLzma('the first chunk does not reset the dictionary');
    need(at + 3);
    const size = (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)) + 1; // safe: just bounded
    at += 3;
    lzma.grow(size);
    lzma.append(bytes.subarray(at, need(at + size)));
    return at + size;
  }

  #resetDictionary(): void {
    this.#lzma.resetDictionary();
    this.#needsDictionary = false;
  }

  /** The resets in the two bits of a chunk's control byte: 0 none, 1 state, 2 also properties, 3 also dictionary. */
  #reset(control: number, bytes: Uint8Array, at: number): number {
    const kind = (control >> 5) & 3;
    if (kind === 3) this.#resetDictionary();
    else if (this.#needsDictionary) throw corruptLzma('the first chunk does not reset the dictionary');
    if (kind >= 2) {
      const properties = lzmaProperties(bytes[at]);
      if (properties.lc + properties.lp > mostLiteralBits) throw corruptLzma('has impossible properties');
      this.#lzma.setProperties(properties);
      this.#needsProperties = false;
      at++;
    } else if (this.#needsProperties) throw corruptLzma('the first chunk has no properties');
    if (kind >= 1) {
      this.#lzma.resetState();
      this.#needsState = false;
    } else if (this.#needsState) throw corruptLzma('the first chunk has no state');
    return at;
  }
}
