/**
 * Packed files and archives: base's decoders, what vfs looks through, what the appliance's tar reader takes, and
 * `file`.
 */

import {
  decodeLz4,
  decodeLznt1,
  decodeLzo1x,
  decodeLzx,
  decodeXpress,
  decodeZstdFrame,
} from '../../src/base/index.js';
import { identify } from '../../src/engine/words/identify/index.js';
import { decodeLzma, decodeXz, TarReader } from '../../src/formats/index.js';
import { Lzma2Decoder } from '../../src/formats/xz/lzma2.js';
import { architectureOf } from '../../src/inspect/architecture.js';
import { initrdEntries, unpack } from '../../src/vfs/index.js';
import { readFixture, readFixtureBuffer } from '../../test/support/fixtures.js';
import { type FrameBlock, lz4Blocks, lzopBlocks, wimBlocks } from '../../test/support/frames.js';
import { part, type Target } from '../target.js';
import { diskOf } from '../trace.js';
import { cpioArchive, fileSeeds, lznt1Seed, packedSeeds, tarArchive } from './seeds/files.js';

const limit = 64 * 1024 * 1024;

const xz: Target = {
  name: 'formats/xz',
  fixtures: ['xz/blocks.xz', 'xz/text.xz'],
  moves: true,
  run: (bytes) => void decodeXz(bytes, limit),
};

/** LZMA2 as it is in a file of xz, without the checksums around it. */
const lzma: Target = {
  name: 'formats/lzma',
  fixtures: ['xz/blocks.xz', 'xz/text.xz'],
  load: (fixture) => readFixture(fixture).slice(24),
  moves: true,
  run: (bytes) => void new Lzma2Decoder(limit).decode(bytes, 0),
};

const blockRoom = new Uint8Array(256 * 1024);

/** With the old header. */
const oldLzma: Target = {
  name: 'formats/lzma-alone',
  fixtures: ['codecs/mixed.lzma', 'codecs/numbers.lzma'],
  moves: true,
  run: (bytes) => void decodeLzma(bytes, blockRoom.length),
};

/** The first block of a file, without the frame around it. */
const firstBlock = (blocks: (file: Buffer) => FrameBlock[]) => (fixture: string) =>
  new Uint8Array(blocks(readFixtureBuffer(fixture))[0]?.packed ?? []);

const lz4: Target = {
  name: 'base/lz4',
  fixtures: ['codecs/mixed.lz4', 'codecs/numbers.lz4'],
  load: firstBlock(lz4Blocks),
  moves: true,
  run: (bytes) => void decodeLz4(bytes, blockRoom),
};

const lzo: Target = {
  name: 'base/lzo',
  fixtures: ['codecs/mixed.lzop', 'codecs/fast.lzop', 'codecs/numbers.lzop'],
  load: firstBlock(lzopBlocks),
  moves: true,
  run: (bytes) => void decodeLzo1x(bytes, blockRoom),
};

const xpress: Target = {
  name: 'base/xpress',
  fixtures: ['codecs/mixed.xpress', 'codecs/numbers.xpress'],
  load: firstBlock(wimBlocks),
  run: (bytes) => void decodeXpress(bytes, blockRoom.subarray(0, 4096)),
};

const lzx: Target = {
  name: 'base/lzx',
  fixtures: ['codecs/mixed.lzx', 'codecs/numbers.lzx'],
  load: firstBlock(wimBlocks),
  run(bytes) {
    // A chunk of this size would stand in the last chunk of a file, and of the whole window in any other.
    part(() => decodeLzx(bytes, blockRoom.subarray(0, 32_768)));
    decodeLzx(bytes, blockRoom.subarray(0, 9000));
  },
};

const lznt1: Target = {
  name: 'base/lznt1',
  fixtures: ['text', 'stored'],
  load: (fixture) => lznt1Seed(fixture === 'text'),
  moves: true,
  run: (bytes) => void decodeLznt1(bytes, 65_536),
};

const zstd: Target = {
  name: 'base/zstd',
  fixtures: ['codecs/mixed.zst', 'codecs/numbers.zst'],
  moves: true,
  run: (bytes) => void decodeZstdFrame(bytes, blockRoom.length),
};

const mostEntries = 10_000;

const packed: Target = {
  name: 'vfs/unpack',
  fixtures: [...packedSeeds.keys()],
  load: (fixture) => packedSeeds.get(fixture)?.() ?? new Uint8Array(0),
  moves: true,
  async run(bytes) {
    const source = diskOf(bytes);
    part(() => unpack(source, 'input', { limit }));
    part(() => unpack(source, 'input', { enough: 1000 }));
    part(() => {
      let entries = 0;
      for (const entry of initrdEntries(source, 'input')) {
        part(() => entry.contents(4096));
        if (++entries >= mostEntries) break;
      }
    });
  },
};

const cpio: Target = {
  ...packed,
  name: 'vfs/cpio',
  fixtures: ['cpio'],
  load: () => cpioArchive(),
};

const tar: Target = {
  name: 'formats/tar',
  fixtures: ['gnu', 'pax'],
  load: (fixture) => tarArchive(fixture === 'pax'),
  moves: true,
  async run(bytes) {
    const reader = new TarReader({ begin: async () => {}, data: async () => {}, end: async () => {} });
    // In pieces that end anywhere.
    for (let at = 0; at < bytes.length; at += 700) await reader.take(bytes.subarray(at, at + 700));
    reader.finish();
  },
};

const file: Target = {
  name: 'engine/identify',
  fixtures: [...fileSeeds.keys()],
  load: (fixture) => fileSeeds.get(fixture)?.() ?? new Uint8Array(0),
  moves: true,
  async run(bytes) {
    part(() => architectureOf(bytes));
    // `file` has a word for all bytes.
    identify(diskOf(bytes));
  },
};

export const archiveTargets: readonly Target[] = [
  xz,
  lzma,
  oldLzma,
  lz4,
  lzo,
  xpress,
  lzx,
  lznt1,
  zstd,
  packed,
  cpio,
  tar,
  file,
];
