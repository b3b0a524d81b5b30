/**
 * The LZMA decoder. Its inner loop is WebAssembly, in whose memory the packed bytes, the probabilities and the output
 * lie: in the beginning of the output as much as may be referred to.
 */
import { CorruptError, needWasm, viewOf, type WasmExports, work } from '../../base/index.js';
import {
  faults,
  makeDecodeFunction,
  outcomes,
  pastEnd,
  probabilitiesAt,
  probabilityCount,
  slack,
  words,
} from './lzma-code.js';

const probabilityStart = 1024; // one half of 2^11
/** Bytes that the range coder begins with. */
const rangeHeader = 5;
/** No distance reaches farther than an address. */
const farthest = 2 ** 30;

export const corruptLzma = (problem: string): CorruptError => new CorruptError('LZMA data', problem);

/** How the literal coder and the positions are chosen, which one byte says. */
interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

export function lzmaProperties(byte: number | undefined): LzmaProperties {
  if (byte === undefined || byte >= 225) throw corruptLzma('has impossible properties');
  return { lc: byte % 9, lp: Math.floor(byte / 9) % 5, pb: Math.floor(byte / 45) };
}

/** Memory that is used again after what needed no more than this; more is let go of. */
const mostKept = 4 * 1024 * 1024;
const leastMemory = 256 * 1024;

type Machine = WasmExports<'decode'>;

const makeMachine = (): Machine => needWasm('LZMA data', [makeDecodeFunction()], leastMemory);

/** Serves those that decode all at once, one after the other. */
let shared: Machine | undefined;

interface LzmaRooms {
  /** The most bytes of output. */
  readonly limit: number;
  /** The most packed bytes that the range coder is begun with. */
  readonly mostPacked: number;
  /** The most that lc and lp are together. */
  readonly literalBits: number;
  /** Whether others decode before this one is done. */
  readonly isStreamed?: boolean;
}

/**
 * Decodes into one growing output, in pieces that share it as their dictionary. One that is not streamed must be done
 * before the next one begins, and {@link lend}s its output at its end.
 */
export class LzmaDecoder {
  readonly #limit: number;
  readonly #machine: Machine;
  readonly #packedAt: number;
  readonly #outAt: number;
  #memory: Uint8Array;
  #words: Int32Array;
  #capacity = 0;
  #length = 0;
  /** Where the dictionary begins in the output; below 0 where that has been let go of. */
  #start = 0;
  #probabilities = 0;

  constructor({ limit, mostPacked, literalBits, isStreamed = false }: LzmaRooms) {
    this.#limit = limit;
    if (!isStreamed) shared ??= makeMachine();
    this.#machine = (isStreamed ? undefined : shared) ?? makeMachine();
    this.#packedAt = probabilitiesAt + 2 * probabilityCount(literalBits);
    this.#outAt = this.#packedAt + mostPacked;
    this.#memory = this.#machine.memory(this.#outAt + slack);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** How many bytes of output are held. */
  get length(): number {
    return this.#length;
  }

  /** All that came out so far, until there is more. */
  get output(): Uint8Array {
    return this.#memory.subarray(this.#outAt, this.#outAt + this.#length);
  }

  /** All that came out, valid until another decodes. Nothing can be decoded by this one afterwards. */
  lend(): Uint8Array {
    const all = this.output;
    if (this.#machine === shared && this.#memory.length > mostKept) shared = undefined;
    return all;
  }

  /**
   * Lets go of all output but the last `keep` bytes, to which later pieces may refer. A multiple of 16 bytes goes, as
   * positions count by their lowest four bits.
   */
  forget(keep: number): void {
    const gone = Math.max(0, this.#length - keep);
    const shift = gone - (gone % 16);
    this.#memory.copyWithin(this.#outAt, this.#outAt + shift, this.#outAt + this.#length);
    this.#length -= shift;
    // Of positions beyond what a distance can reach, the lowest bits alone matter.
    this.#start = Math.max(this.#start - shift, (this.#start % 16) - farthest);
  }

  resetDictionary(): void {
    this.#start = this.#length;
  }

  setProperties({ lc, lp, pb }: LzmaProperties): void {
    this.#words[words.lc] = lc;
    this.#words[words.literalMask] = (1 << lp) - 1;
    this.#words[words.positionMask] = (1 << pb) - 1;
    this.#probabilities = probabilityCount(lc + lp);
  }

  /** Makes all probabilities equal. */
  resetState(): void {
    new Uint16Array(this.#memory.buffer, probabilitiesAt, this.#probabilities).fill(probabilityStart);
    this.#words.fill(0, words.state, words.rep3 + 1);
  }

  /** Makes room for `size` more bytes. */
  grow(size: number): void {
    const wanted = this.#length + size;
    if (wanted > this.#limit)
      throw new CorruptError('LZMA data', 'is larger than allowed', { limit: this.#limit });
    if (wanted <= this.#capacity) return;
    const capacity = Math.min(this.#limit, Math.max(wanted, this.#capacity * 2));
    work.bytes.spend(capacity - this.#capacity);
    this.#capacity = capacity;
    this.#memory = this.#machine.memory(this.#outAt + capacity + slack);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  /** Appends bytes that are not compressed. There must be room. */
  append(bytes: Uint8Array): void {
    this.#memory.set(bytes, this.#outAt + this.#length);
    this.#length += bytes.length;
  }

  /** Begins with the bytes of a range coder, of which there are no more than was said. */
  start(bytes: Uint8Array): void {
    if (bytes.length < rangeHeader || bytes[0] !== 0) throw corruptLzma('a chunk has no range coder header');
    this.#memory.set(bytes, this.#packedAt);
    this.#words[words.at] = this.#packedAt + rangeHeader;
    this.#words[words.packedEnd] = this.#packedAt + bytes.length;
    this.#words[words.range] = -1;
    this.#words[words.code] = viewOf(bytes).getInt32(1);
  }

  /** Whether all bytes were used and the coder is at rest. */
  get finished(): boolean {
    return this.#words[words.at] === this.#words[words.packedEnd] && this.#words[words.code] === 0;
  }

  /**
   * Decodes `size` bytes, for which there must be room. Returns whether they came out: false where the data had its
   * end marker before.
   */
  decode(size: number): boolean {
    const outcome = this.#run(size, false);
    if (outcome < 0) throw corruptLzma(faults[outcome] ?? '');
    return outcome === outcomes.done;
  }

  /** Whether the end marker comes next, instead of more bytes. Nothing can be decoded afterwards. */
  hasEndMarker(): boolean {
    const outcome = this.#run(0, true);
    if (outcome < 0 && outcome !== pastEnd) throw corruptLzma(faults[outcome] ?? '');
    return outcome === outcomes.marker;
  }

  #run(size: number, isMarkerWanted: boolean): number {
    const out = this.#outAt + this.#length;
    this.#words[words.out] = out;
    this.#words[words.end] = out + size;
    this.#words[words.start] = this.#outAt + this.#start;
    this.#words[words.held] = this.#outAt;
    this.#words[words.marker] = isMarkerWanted ? 1 : 0;
    const outcome = this.#machine.functions.decode();
    if (outcome === outcomes.done || outcome === outcomes.marker)
      this.#length = (this.#words[words.out] as number) - this.#outAt; // safe: a word of the memory
    return outcome;
  }
}
