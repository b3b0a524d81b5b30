/**
 * XPRESS with Huffman codes, as WOF and WIM have it: a chunk is a code and what is written with it. Specification:
 * [MS-XCA] 2.2.
 */
import { CorruptError } from '../errors.js';
import { work } from '../work.js';
import { copyMatch } from './copies.js';
import { HuffmanCode } from './huffman.js';
import { WordBits } from './word-bits.js';

const name = 'XPRESS chunk';
/** 256 literals, and matches by four bits of their length and the size of their distance. */
const symbols = 512;
const literals = 256;
const leastMatch = 3;
/** Longer matches have a byte behind, and the longest two. */
const nibble = 0x0f;
const longLength = 15;
const longestInByte = 255;

/** Decodes a chunk so that `into` is full. Returns its length. */
export function decodeXpress(packed: Uint8Array, into: Uint8Array): number {
  work.steps.spend(into.length);
  const codeSize = symbols / 2;
  if (packed.length < codeSize) throw new CorruptError(name, 'is cut short', { size: packed.length });
  const lengths = new Uint8Array(symbols);
  for (let i = 0; i < codeSize; i++) {
    const pair = packed[i] ?? 0;
    lengths[2 * i] = pair & nibble;
    lengths[2 * i + 1] = pair >>> 4;
  }
  const code = new HuffmanCode(name, symbols);
  code.set(lengths, symbols);
  const bits = new WordBits(packed, codeSize);
  for (let place = 0; place < into.length; ) {
    const symbol = code.next(bits);
    if (symbol < literals) {
      into[place++] = symbol;
      continue;
    }
    const distanceBits = (symbol >>> 4) & nibble;
    bits.fill();
    const distance = (1 << distanceBits) + bits.take(distanceBits);
    let length = symbol & nibble;
    if (length === longLength) {
      const more = bits.byte();
      length = more === longestInByte ? bits.byte() | (bits.byte() << 8) : length + more;
    }
    place = copyMatch(name, into, place, distance, length + leastMatch);
  }
  if (bits.isSpent) throw new CorruptError(name, 'is cut short', { size: packed.length });
  return into.length;
}
