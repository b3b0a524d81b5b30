/**
 * An encoder of LZMA for one piece of bytes, all of which is the dictionary: matches are found by chains of hashes, and
 * taken where they save most. Specification: Igor Pavlov, "LZMA specification", 2015.
 */
import { RangeEncoder } from './range-encoder.js';

/** As xz has them by default: literals by three bits of the byte before, and four states of the position. */
const literalContextBits = 3;
const positionMask = 3;
/** The byte of the properties: `(pb * 5 + lp) * 9 + lc`. */
export const encodedProperties = (2 * 5 + 0) * 9 + literalContextBits;

const leastMatch = 2;
const longestMatch = 273;
const stateCount = 12;
const positionStates = positionMask + 1;

// Where the probabilities of each kind begin, in one array.
const isMatch = 0;
const isRep = isMatch + stateCount * positionStates;
const isRepG0 = isRep + stateCount;
const isRepG1 = isRepG0 + stateCount;
const isRepG2 = isRepG1 + stateCount;
const isRep0Long = isRepG2 + stateCount;
const slots = isRep0Long + stateCount * positionStates;
const special = slots + 4 * 64;
const align = special + 128;
/** A coder of lengths: two choices, then a tree of 3 bits for each state of the position twice, and one of 8. */
const lengthLow = 2;
const lengthMiddle = lengthLow + positionStates * 8;
const lengthHigh = lengthMiddle + positionStates * 8;
const lengthSize = lengthHigh + 256;
const lengths = align + 16;
const repLengths = lengths + lengthSize;
const literals = repLengths + lengthSize;
const literalSize = 0x300;
const probabilityCount = literals + (literalSize << literalContextBits);

const hashBits = 16;
/** No chain leads here. */
const none = -1;

/** What is encoded at a place: a match at a distance (from 1) or at one of the four last ones, or a literal. */
interface Choice {
  /** 0 to 3 for the last distances, `none` for another. */
  readonly rep: number;
  readonly distance: number;
  /** 1 and no rep for a literal. */
  readonly length: number;
  /** About how many bits it saves. */
  readonly gain: number;
}

const literal: Choice = { rep: none, distance: 0, length: 1, gain: 0 };
/** About what a literal costs, in bits. */
const literalCost = 6;

function bitsOf(value: number): number {
  return 32 - Math.clz32(value);
}

export class LzmaEncoder {
  readonly #bytes: Uint8Array;
  readonly #coder: RangeEncoder;
  readonly #depth: number;
  readonly #heads = new Int32Array(1 << hashBits).fill(none);
  readonly #chain: Int32Array;
  #state = 0;
  readonly #reps = [1, 1, 1, 1];
  #at = 0;
  /** Places up to here are in the chains. */
  #entered = 0;
  /** What was found for {@link #at} already, when the place before was looked at. */
  #next: Choice | undefined;

  /** `depth`: places that are compared for each match. */
  constructor(bytes: Uint8Array, depth: number) {
    this.#bytes = bytes;
    this.#depth = depth;
    this.#chain = new Int32Array(bytes.length);
    this.#coder = new RangeEncoder(probabilityCount);
  }

  /** How many bytes are encoded. */
  get position(): number {
    return this.#at;
  }

  /** As a decoder begins: nothing was learned. */
  reset(): void {
    this.#coder.forget();
    this.#state = 0;
    this.#reps.fill(1);
    this.#next = undefined;
  }

  /** Encodes up to place `end`, or as much as may come to `mostPacked` bytes. Returns them, until the next call. */
  encode(end: number, mostPacked: number): Uint8Array {
    const coder = this.#coder;
    coder.begin();
    // The costliest step is a literal or a match with a far distance, of some ten bytes.
    while (this.#at < end && coder.length + 32 < mostPacked) this.#put(this.#choose(end));
    return coder.finish();
  }

  /** The better of what can begin here: it is put off where the next place has something better still. */
  #choose(end: number): Choice {
    const here = this.#next ?? this.#best(end);
    this.#next = undefined;
    if (here.length === 1 || this.#at + 1 >= end) return here;
    if (here.length >= 64) return here;
    this.#at++;
    const next = this.#best(end);
    this.#at--;
    if (next.gain <= here.gain + 1) return here;
    this.#next = next;
    return literal;
  }

  #best(end: number): Choice {
    const at = this.#at;
    const most = Math.min(longestMatch, end - at);
    this.#enter(at);
    let best = literal;
    const consider = (rep: number, distance: number, length: number, cost: number): void => {
      const gain = length * literalCost - cost;
      if (gain > best.gain) best = { rep, distance, length, gain };
    };
    for (let rep = 0; rep < 4; rep++) {
      const distance = this.#reps[rep] as number; // safe: four
      const length = distance > at ? 0 : this.#matching(at, distance, most);
      if (length >= leastMatch) consider(rep, distance, length, 6 + 2 * rep);
      else if (rep === 0 && length === 1) consider(rep, distance, 1, 5);
    }
    if (most < 3) return best;
    let longest = 2;
    // safe: every place in a chain was entered
    for (let from = this.#chain[at] as number, left = this.#depth; from >= 0 && left > 0; left--) {
      const distance = at - from;
      // What is no longer than one that is nearer is of no use.
      if (this.#bytes[from + longest] === this.#bytes[at + longest]) {
        const length = this.#matching(at, distance, most);
        if (length > longest) {
          longest = length;
          consider(none, distance, length, 9 + bitsOf(distance));
          if (length === most) break;
        }
      }
      from = this.#chain[from] as number;
    }
    return best;
  }

  /** How many bytes are as those a distance before. */
  #matching(at: number, distance: number, most: number): number {
    const bytes = this.#bytes;
    let length = 0;
    while (length < most && bytes[at + length] === bytes[at + length - distance]) length++;
    return length;
  }

  /** Puts all places up to one into the chains. */
  #enter(last: number): void {
    const bytes = this.#bytes;
    for (let place = this.#entered; place <= last; place++) {
      // safe: what lies behind the end counts as zero
      const word =
        (bytes[place] as number) | ((bytes[place + 1] ?? 0) << 8) | ((bytes[place + 2] ?? 0) << 16);
      const hash = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits);
      this.#chain[place] = this.#heads[hash] as number;
      this.#heads[hash] = place;
    }
    this.#entered = Math.max(this.#entered, last + 1);
  }

  #put(choice: Choice): void {
    const coder = this.#coder;
    const positionState = this.#at & positionMask;
    const state = this.#state;
    const matchModel = isMatch + state * positionStates + positionState;
    if (choice.rep === none && choice.length === 1) {
      coder.bit(matchModel, 0);
      this.#putLiteral();
      this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    } else {
      coder.bit(matchModel, 1);
      if (choice.rep === none) this.#putMatch(choice, positionState);
      else this.#putRep(choice, positionState);
    }
    this.#enter(this.#at + choice.length - 1);
    this.#at += choice.length;
  }

  #putLiteral(): void {
    const bytes = this.#bytes;
    const at = this.#at;
    const before = at === 0 ? 0 : (bytes[at - 1] as number); // safe: at > 0
    const base = literals + literalSize * (before >>> (8 - literalContextBits));
    const byte = bytes[at] as number; // safe: at is in the piece
    // Behind a match, the byte is not the one that would have continued it, which its models know.
    const isBehindMatch = this.#state >= 7;
    let expected = isBehindMatch ? (bytes[at - (this.#reps[0] as number)] as number) : 0; // safe: it was matched
    let offset = isBehindMatch ? 0x100 : 0;
    for (let symbol = 1, bit = 7; bit >= 0; bit--) {
      const value = (byte >>> bit) & 1;
      let model = symbol;
      if (offset !== 0) {
        expected <<= 1;
        const wanted = expected & 0x100;
        model += offset + wanted;
        if ((wanted !== 0) !== (value === 1)) offset = 0;
      }
      this.#coder.bit(base + model, value);
      symbol = symbol * 2 + value;
    }
  }

  #putMatch({ distance, length }: Choice, positionState: number): void {
    const coder = this.#coder;
    const state = this.#state;
    coder.bit(isRep + state, 0);
    this.#putLength(lengths, length, positionState);
    const value = distance - 1;
    const size = bitsOf(value);
    const slot = value < 4 ? value : 2 * (size - 1) + ((value >>> (size - 2)) & 1);
    coder.tree(slots + 64 * Math.min(length - leastMatch, 3), 6, slot);
    if (slot >= 4) {
      const footer = (slot >>> 1) - 1;
      const base = (2 | (slot & 1)) << footer;
      if (slot < 14) coder.reverseTree(special + base - slot, footer, value - base);
      else {
        coder.direct(footer - 4, (value - base) >>> 4);
        coder.reverseTree(align, 4, value & 15);
      }
    }
    this.#reps.pop();
    this.#reps.unshift(distance);
    this.#state = state < 7 ? 7 : 10;
  }

  #putRep({ rep, distance, length }: Choice, positionState: number): void {
    const coder = this.#coder;
    const state = this.#state;
    coder.bit(isRep + state, 1);
    coder.bit(isRepG0 + state, rep === 0 ? 0 : 1);
    if (rep === 0) coder.bit(isRep0Long + state * positionStates + positionState, length === 1 ? 0 : 1);
    else {
      coder.bit(isRepG1 + state, rep === 1 ? 0 : 1);
      if (rep > 1) coder.bit(isRepG2 + state, rep - 2);
      this.#reps.splice(rep, 1);
      this.#reps.unshift(distance);
    }
    if (length === 1) {
      this.#state = state < 7 ? 9 : 11;
      return;
    }
    this.#putLength(repLengths, length, positionState);
    this.#state = state < 7 ? 8 : 11;
  }

  #putLength(base: number, length: number, positionState: number): void {
    const coder = this.#coder;
    const value = length - leastMatch;
    coder.bit(base, value < 8 ? 0 : 1);
    if (value < 8) return coder.tree(base + lengthLow + positionState * 8, 3, value);
    coder.bit(base + 1, value < 16 ? 0 : 1);
    if (value < 16) coder.tree(base + lengthMiddle + positionState * 8, 3, value - 8);
    else coder.tree(base + lengthHigh, 8, value - 16);
  }
}
