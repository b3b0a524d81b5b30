/**
 * Zstandard, by the platform or by a small WebAssembly decoder. Specification of frames: RFC 8878, section 3.1.
 *
 * The package's WebAssembly is only available through a promise, which drivers cannot use. So its compiled module is
 * either awaited beforehand, or lent by a decoder thread that has awaited it; instantiating it is synchronous.
 */
import { CorruptError, struct, UnsupportedError, u8, u32, viewOf, work } from '../base/index.js';
import { platform } from './platform.js';

/** Compiled code; opaque here. It can be sent to another thread. */
export type ZstdModule = object;

// The types of the global that TypeScript keeps in its DOM library.
declare const WebAssembly: {
  readonly Instance: new (
    module: ZstdModule,
    imports: Record<string, Record<string, () => void>>,
  ) => { readonly exports: unknown };
};

/** The module's exports that are used. Pointers and sizes are bytes in `memory`. */
interface ZstdCode {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(at: number): void;
  ZSTD_decompress(to: number, capacity: number, from: number, size: number): number;
  ZSTD_isError(result: number): number;
}

/** A decoder for exactly one frame: at most `limit` bytes, valid until the next call. It may throw any error. */
type DecodeFrame = (frame: Uint8Array, limit: number) => Uint8Array;

/** The decoder of WebAssembly, where the platform has none of its own. */
let wasmDecoder: DecodeFrame | undefined;

const frameDecoder = (): DecodeFrame | undefined => platform().decodeZstdFrame ?? wasmDecoder;

/** Whether zstd can be decoded in this thread now. */
export function zstdReady(): boolean {
  return frameDecoder() !== undefined;
}

/** Makes zstd ready in this thread. With the platform's decoder there is nothing to do. */
export async function prepareZstd(): Promise<void> {
  if (!zstdReady()) useZstdModule(await loadZstdModule());
}

let loading: Promise<ZstdModule> | undefined;

/** Compiles the WebAssembly decoder. */
export function loadZstdModule(): Promise<ZstdModule> {
  loading ??= compile();
  return loading;
}

async function compile(): Promise<ZstdModule> {
  // Loaded on demand: most images have no zstd, and every launch would wait for it.
  const { ZSTDDecoder } = await import('zstddec');
  let module: ZstdModule | undefined;
  // The package keeps its compiled module private, but passes it to this method first.
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

/** This thread's module; undefined if the platform decodes, or nothing was decoded yet. */
export function zstdModule(): ZstdModule | undefined {
  return inUse;
}

/** Makes zstd ready with a module that was compiled elsewhere. */
export function useZstdModule(module: ZstdModule): void {
  inUse = module;
  // The module reports when its memory grew; here memory is looked up again for each frame.
  const imports = { env: { emscripten_notify_memory_growth: () => {} } };
  const code = new WebAssembly.Instance(module, imports).exports as ZstdCode; // safe: what zstddec exports
  const source = new Scratch(code);
  const target = new Scratch(code);
  wasmDecoder = (frame, limit) => {
    const from = source.atLeast(frame.length);
    const to = target.atLeast(limit);
    new Uint8Array(code.memory.buffer).set(frame, from);
    const size = code.ZSTD_decompress(to, limit, from, frame.length);
    if (code.ZSTD_isError(size)) throw new Error('invalid zstd frame');
    // Lent without a copy: a large image would leave gigabytes for the garbage collector.
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

  /** The address of `size` bytes. Earlier contents are lost. Sizes double, so few are tried. */
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
 * Decodes exactly one frame: at most `limit` bytes, valid until the next frame is decoded. Call only if {@link
 * zstdReady}.
 */
export function decodeFrame(frame: Uint8Array, limit: number): Uint8Array {
  const decode = frameDecoder();
  if (!decode) throw new Error('zstd is not ready');
  return decode(frame, limit);
}

const frameMagic = 0xfd2fb528;
/** The beginning of a frame whose descriptor, at 4, is zero: a window follows, and nothing else. */
const frameHead = struct('zstd frame', 'little', 6, () => ({ magic: u32(0), window_descriptor: u8(5) }));
const skippableMagic = 0x184d2a50;
const skippableMask = 0xfffffff0;
const blockTypeRle = 1;
const blockTypeCompressed = 2;
const blockTypeReserved = 3;
/** The most that one compressed block holds. Section 3.1.1.2.4. */
const blockContentLimit = 128 * 1024;

/**
 * Decodes frames until `decodedSize` bytes are there, and ignores later bytes: a compressed cluster is stored with
 * whatever follows it in its last sector. With `isCut` there is one frame, of as many bytes at most. The bytes are
 * valid until more is decoded. Call only if {@link zstdReady}.
 */
export function decodeZstd(packed: Uint8Array, decodedSize: number, isCut = false): Uint8Array {
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
    const isWhole = produced === decodedSize || at === packed.length;
    if (isWhole || (isCut && !skippable)) return (whole ?? new Uint8Array(0)).subarray(0, produced);
  }
}

/** The header of a frame: the offset of its blocks, and the meaning of its first bytes. */
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

/** A block by its header: its end, its largest contents, and whether it is the last. */
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

/** The end of the frame at `at`, and the most bytes of its contents: by its header and its block headers. */
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

/** A window of 8 MiB: references to earlier bytes reach no further. */
const windowDescriptor = 13 << 3;

/**
 * The first blocks of the frame at `at`, as a frame of their own: at most `limit` bytes of contents, but at least one
 * block; without a content size or a checksum, and with the last block marked as such. A skippable frame gives no
 * frame.
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
