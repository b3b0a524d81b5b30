/**
 * Zstandard, by Node where it has it (22.15 and later), else by a small WebAssembly decoder. Specification of frames:
 * RFC 8878, section 3.1.
 *
 * WebAssembly from a package can only be had by a promise, and drivers have no promises. So its compiled module is
 * either awaited beforehand, or lent by a decoder thread that has awaited it; making an instance of it is synchronous.
 */
import * as zlib from 'node:zlib';
import { CorruptError, struct, UnsupportedError, u8, u32, viewOf, work } from '../base/index.js';

/** Compiled code; opaque here. It can be sent to another thread. */
export type ZstdModule = object;

// The types of the global that TypeScript keeps in its DOM library.
declare const WebAssembly: {
  readonly Instance: new (
    module: ZstdModule,
    imports: Record<string, Record<string, () => void>>,
  ) => { readonly exports: unknown };
};

/** What the module exports, of which we call these. Pointers and sizes are bytes in `memory`. */
interface ZstdCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(at: number): void;
  ZSTD_decompress(to: number, capacity: number, from: number, size: number): number;
  ZSTD_isError(result: number): number;
}

/** A decoder for bytes that are exactly one frame; at most `limit` bytes come out, good until the next. Throws what it likes. */
type DecodeFrame = (frame: Uint8Array, limit: number) => Uint8Array;

const native = (zlib as { zstdDecompressSync?: (from: Uint8Array, options: object) => Buffer })
  .zstdDecompressSync;

let frameDecoder: DecodeFrame | undefined =
  native &&
  ((frame, limit) =>
    // Node takes no limit of 0, and a frame may well hold nothing.
    native(frame, { maxOutputLength: Math.max(1, limit), chunkSize: chunkFor(limit) }));

/** Slightly more than comes out, so that zlib sees the end without asking for a second buffer. */
export function chunkFor(size: number): number {
  return Math.max(64, size + 64);
}

/** Whether zstd can be decoded in this thread now. */
export function zstdReady(): boolean {
  return frameDecoder !== undefined;
}

/** Makes zstd ready in this thread. Nothing is to be done where Node has it. */
export async function prepareZstd(): Promise<void> {
  if (!frameDecoder) useZstdModule(await loadZstdModule());
}

let loading: Promise<ZstdModule> | undefined;

/** Compiles the WebAssembly decoder. */
export function loadZstdModule(): Promise<ZstdModule> {
  loading ??= compile();
  return loading;
}

async function compile(): Promise<ZstdModule> {
  // Loaded when it is wanted: most images hold no zstd, and every launch would wait for it.
  const { ZSTDDecoder } = await import('zstddec');
  let module: ZstdModule | undefined;
  // The package keeps what it compiles to itself, but hands it to this method first.
  class Loader extends ZSTDDecoder {
    override _init(result: { module: ZstdModule }): void {
      module = result.module;
    }
  }
  await new Loader().init();
  if (!module) throw new Error('zstddec did not hand over its module');
  return module;
}

let inUse: ZstdModule | undefined;

/** The module that this thread decodes with; undefined where Node decodes, or nothing was decoded yet. */
export function zstdModule(): ZstdModule | undefined {
  return inUse;
}

/** Makes zstd ready with a module that was compiled elsewhere. */
export function useZstdModule(module: ZstdModule): void {
  inUse = module;
  // The module tells that its memory grew; here memory is looked up anew for each frame.
  const imports = { env: { emscripten_notify_memory_growth: () => {} } };
  const code = new WebAssembly.Instance(module, imports).exports as ZstdCode; // safe: what zstddec exports
  const source = new Scratch(code);
  const target = new Scratch(code);
  frameDecoder = (frame, limit) => {
    const from = source.atLeast(frame.length);
    const to = target.atLeast(limit);
    new Uint8Array(code.memory.buffer).set(frame, from);
    const size = code.ZSTD_decompress(to, limit, from, frame.length);
    if (code.ZSTD_isError(size)) throw new Error('invalid zstd frame');
    // Lent, not copied: of a large image that would be gigabytes for the garbage collector.
    return new Uint8Array(code.memory.buffer, to, size);
  };
}

/** A piece of the decoder's own memory that is kept between frames. */
class Scratch {
  readonly #code: ZstdCode;
  #at = 0;
  #size = 0;

  constructor(code: ZstdCode) {
    this.#code = code;
  }

  /** Where `size` bytes are. What was there is lost. Sizes double, so that few are tried. */
  atLeast(size: number): number {
    if (size > this.#size) {
      if (this.#at !== 0) this.#code.free(this.#at);
      this.#size = 2 ** Math.ceil(Math.log2(Math.max(size, 4096)));
      this.#at = this.#code.malloc(this.#size);
      if (this.#at === 0) {
        this.#size = 0;
        throw new Error('the zstd decoder has no memory left');
      }
    }
    return this.#at;
  }
}

/**
 * Decodes bytes that are exactly one frame; at most `limit` bytes come out, and are good until the next frame is decoded.
 * Call only when {@link zstdReady}.
 */
export function decodeFrame(frame: Uint8Array, limit: number): Uint8Array {
  if (!frameDecoder) throw new Error('zstd is not ready');
  return frameDecoder(frame, limit);
}

const frameMagic = 0xfd2fb528;
/** The beginning of a frame whose descriptor, at 4, is zero: a window follows, and nothing else. */
const frameHead = struct('zstd frame', 'little', 6, { magic: u32(0), window_descriptor: u8(5) });
const skippableMagic = 0x184d2a50;
const skippableMask = 0xfffffff0;
const blockTypeRle = 1;
const blockTypeCompressed = 2;
const blockTypeReserved = 3;
/** The most that one compressed block holds. Section 3.1.1.2.4. */
const blockContentLimit = 128 * 1024;

/**
 * Decodes frames until `decodedSize` bytes are there, and looks at nothing behind them: a compressed cluster is stored
 * with whatever follows it in its last sector. The bytes are good until more is decoded. Call only when {@link zstdReady}.
 */
export function decodeZstd(packed: Uint8Array, decodedSize: number): Uint8Array {
  let whole: Uint8Array | undefined;
  let produced = 0;
  for (let at = 0; ; ) {
    const { end, skippable } = findFrameEnd(packed, at);
    if (!skippable) {
      const piece = decodeFrame(packed.subarray(at, end), decodedSize - produced);
      if (!whole && piece.length === decodedSize) return piece;
      whole ??= new Uint8Array(decodedSize);
      whole.set(piece, produced);
      produced += piece.length;
    }
    at = end;
    if (produced === decodedSize || at === packed.length)
      return (whole ?? new Uint8Array(0)).subarray(0, produced);
  }
}

/** The header of a frame: where its blocks begin, and what its first bytes say. */
function readFrameHeader(
  bytes: Uint8Array,
  at: number,
): { blocksAt: number; descriptor: number } | { end: number } {
  const view = viewOf(bytes);
  needBytes(bytes, at, at + 8);
  const magic = view.getUint32(at, true);
  if ((magic & skippableMask) >>> 0 === skippableMagic)
    return { end: needBytes(bytes, at, at + 8 + view.getUint32(at + 4, true)) };
  if (magic !== frameMagic) throw new CorruptError('zstd frame', 'has no zstd magic', { offset: at, magic });
  const descriptor = view.getUint8(at + 4);
  const singleSegment = (descriptor >> 5) & 1;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = contentSizeFlag === 0 ? singleSegment : 1 << contentSizeFlag;
  const dictionaryFlag = descriptor & 3;
  const dictionaryBytes = dictionaryFlag === 3 ? 4 : dictionaryFlag;
  return { blocksAt: at + 5 + (singleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes, descriptor };
}

function needBytes(bytes: Uint8Array, at: number, end: number): number {
  if (end > bytes.length)
    throw new CorruptError('zstd frame', 'is cut short', { offset: at, size: bytes.length });
  return end;
}

/** A block by its header: where it ends, the most that it holds, and whether it is the last. */
function readBlockHeader(
  bytes: Uint8Array,
  at: number,
  place: number,
): { end: number; mostContent: number; last: boolean } {
  const view = viewOf(bytes);
  needBytes(bytes, at, place + 3);
  const header = view.getUint16(place, true) | (view.getUint8(place + 2) << 16);
  const type = (header >> 1) & 3;
  if (type === blockTypeReserved)
    throw new CorruptError('zstd block', 'has the reserved type', { offset: place });
  return {
    end: needBytes(bytes, at, place + 3 + (type === blockTypeRle ? 1 : header >> 3)),
    mostContent: type === blockTypeCompressed ? blockContentLimit : header >> 3,
    last: (header & 1) === 1,
  };
}

/**
 * Where the frame at `at` ends, and the most that can come out of it, in bytes: by its header and the headers of its
 * blocks.
 */
export function findFrameEnd(
  bytes: Uint8Array,
  at: number,
): { end: number; skippable: boolean; mostContent: number } {
  const header = readFrameHeader(bytes, at);
  if ('end' in header) return { end: header.end, skippable: true, mostContent: 0 };
  let place = header.blocksAt;
  let mostContent = 0;
  for (let last = false; !last; ) {
    work.steps.spend(1);
    const block = readBlockHeader(bytes, at, place);
    ({ last, end: place } = block);
    mostContent += block.mostContent;
  }
  const hasChecksum = (header.descriptor >> 2) & 1;
  return { end: needBytes(bytes, at, place + (hasChecksum ? 4 : 0)), skippable: false, mostContent };
}

/** A window of 8 MiB: what comes back to earlier bytes of a beginning reaches no further. */
const windowDescriptor = 13 << 3;

/**
 * The first blocks of the frame at `at`, which hold at most `limit` bytes, but one at least, as a frame of their own: without a
 * content size or a checksum, and with its last block marked as such. No frame where one is to be skipped.
 */
export function frameBeginning(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { frame: Uint8Array; mostContent: number } | { frame: undefined; end: number } {
  const header = readFrameHeader(bytes, at);
  if ('end' in header) return { frame: undefined, end: header.end };
  if ((header.descriptor & 3) !== 0) throw new UnsupportedError('zstd frame', ['dictionaries']);
  let place = header.blocksAt;
  let lastAt = place;
  let mostContent = 0;
  for (let last = false; !last; ) {
    const block = readBlockHeader(bytes, at, place);
    if (mostContent > 0 && mostContent + block.mostContent > limit) break;
    if (block.mostContent > limit)
      throw new CorruptError('zstd block', 'is too long', { offset: place, length: block.mostContent });
    mostContent += block.mostContent;
    lastAt = place;
    ({ last, end: place } = block);
  }
  const head = frameHead.size;
  const frame = new Uint8Array(head + place - header.blocksAt);
  frameHead.encode({ magic: frameMagic, window_descriptor: windowDescriptor }, frame);
  frame.set(bytes.subarray(header.blocksAt, place), head);
  const lastBlock = head + lastAt - header.blocksAt;
  frame[lastBlock] = (frame[lastBlock] ?? 0) | 1;
  return { frame, mostContent };
}
