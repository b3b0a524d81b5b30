/**
 * Compresses output. A gzip file may have several members (RFC 1952, 2.2), a zstd file several frames (RFC 8878,
 * 3.1), an .xz file several streams: each large piece is compressed by itself, so memory stays constant.
 */
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import { encodeXz, xzPieceLength } from '../../formats/index.js';
import type { DataSink } from './copy-data.js';
import { writeZeroes } from './data-sinks.js';

/** A piece of this size is compressed in a few tens of milliseconds, so a call can be cancelled in time. */
const pieceLength = 1024 * 1024;

/** Node's compressors, which are loaded when the first is wanted; zstd is there since Node 22.15. */
const zlib = (): typeof import('node:zlib') & { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array } =>
  process.getBuiltinModule('node:zlib');

interface Compressor {
  readonly pieceLength: number;
  readonly compress: (bytes: Uint8Array) => Uint8Array;
}

/**
 * Compressors of guestfsd that this engine lacks. guestfsd also knows `compress`, but its appliance lacks that
 * program.
 */
const lacking = new Set(['bzip2', 'lzop']);

function checkLevel(type: string, level: number | undefined, least: number): void {
  if (level !== undefined && (level < least || level > 9))
    throw new GuestfsError('EINVAL', `${level}: the level of ${type} is ${least} to 9`);
}

function compressorFor(type: string, level: number | undefined): Compressor {
  if (type === 'gzip') {
    checkLevel(type, level, 1);
    const { gzipSync } = zlib();
    return { pieceLength, compress: (bytes) => gzipSync(bytes, level === undefined ? {} : { level }) };
  }
  if (type === 'xz') {
    checkLevel(type, level, 0);
    return { pieceLength: xzPieceLength, compress: (bytes) => encodeXz(bytes, level) };
  }
  if (type === 'zstd') {
    const { zstdCompressSync } = zlib();
    if (zstdCompressSync !== undefined) return { pieceLength, compress: zstdCompressSync };
    throw new UnsupportedError('compression', ['zstd, which needs Node 22.15 or later'], {
      elsewhere: 'nowhere',
    });
  }
  if (lacking.has(type)) throw new UnsupportedError('compression', [type], { elsewhere: 'appliance' });
  if (type === 'compress') throw new UnsupportedError('compression', [type], { elsewhere: 'nowhere' });
  throw new GuestfsError('EINVAL', `${type}: unknown type of compression`);
}

/** A sink whose bytes go to `to` compressed. `finish` must be called. */
export class CompressingSink implements DataSink {
  readonly keepsHoles = false;
  readonly #to: DataSink;
  readonly #compress: Compressor['compress'];
  readonly #buffer: Uint8Array;
  #filled = 0;
  #any = false;

  /** `type`: `gzip`, `xz`, `zstd`. UnsupportedError for a missing compressor, EINVAL for an unknown one. */
  constructor(to: DataSink, type: string, level?: number) {
    this.#to = to;
    const compressor = compressorFor(type, level);
    this.#compress = compressor.compress;
    this.#buffer = new Uint8Array(compressor.pieceLength);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const count = Math.min(bytes.length - done, this.#buffer.length - this.#filled);
      this.#buffer.set(bytes.subarray(done, done + count), this.#filled);
      this.#filled += count;
      done += count;
      if (this.#filled === this.#buffer.length) this.#flush();
    }
  }

  hole(length: number): void {
    writeZeroes(this, length);
  }

  #flush(): void {
    this.#to.write(this.#compress(this.#buffer.subarray(0, this.#filled)));
    this.#filled = 0;
    this.#any = true;
  }

  /** Sends the rest; without any data, one empty member. */
  finish(): void {
    if (this.#filled > 0 || !this.#any) this.#flush();
  }
}
