/** Plants in the codecs. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'base/codecs/copies.ts',
    original: "throw new CorruptError(codec, 'has a copy from before its beginning', { at, distance });",
    planted: "throw new RangeError('has a copy from before its beginning');",
    target: 'base/lzo',
    fixtures: ['codecs/mixed.lzop'],
    finding: /RangeError: has a copy from before/,
  },
  {
    error: 'a code of too many words is taken, and its table is filled beyond its end',
    file: 'base/codecs/huffman.ts',
    original:
      "if (word > 2 ** length) throw new CorruptError(this.#name, 'has a code of too many words', { length });",
    planted: "if (word > 2 ** length) throw new RangeError('has a code of too many words');",
    target: 'base/xpress',
    fixtures: ['codecs/mixed.xpress'],
    finding: /RangeError: has a code of too many/,
  },
  {
    error: 'more literals are taken than there are, and the memory ends',
    file: 'base/codecs/zstd/code.ts',
    original: 'when(isBelow(subtract(get(literalEnd), get(literal)), get(literals)), give(int(-3))),',
    planted: 'when(isBelow(subtract(get(literalEnd), get(literal)), get(literals)), [0x00]),',
    target: 'base/zstd',
    fixtures: ['codecs/mixed.zst'],
    finding: /RuntimeError/,
  },
];
