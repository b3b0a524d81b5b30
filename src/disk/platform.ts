/**
 * What the engine takes from where it runs: all of Node that the rooms below the engine use.
 *
 * A thread runs one engine, so a thread has one platform. The entry of the thread hands the platform over once, before
 * anything else, and code at any depth asks for it. As a parameter it would go through every driver, for two that need
 * a hash.
 */
import type { GrowableDisk } from './disk.js';
import type { ImagePolicy, Origin } from './origin.js';

export type HashName = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

interface Hash {
  update(bytes: Uint8Array): void;
  /** The digest; the hash is of no use afterwards. */
  digest(): Uint8Array;
}

interface InflateOptions {
  /** A stream without its end is no error: what came out so far is the result. */
  readonly partial?: boolean;
  /** How many bytes are likely to come out. */
  readonly expected?: number;
}

/** What a thread that decodes is started with. */
export interface DecoderStart {
  readonly buffer: SharedArrayBuffer;
  /** How many helpers share the memory, and which of them this is. */
  readonly helpers: number;
  readonly helper: number;
  readonly idleMilliseconds: number;
}

/** A thread that decodes beside this one. */
export interface DecoderThread {
  /** Ends it, whatever it is doing. Nothing is waited for. */
  end(): void;
}

export interface Platform {
  /**
   * Expands deflate data (RFC 1950 to 1952), of `gzip` every member. At most `most` bytes come out: EFBIG for more.
   * Damaged data throws an error of any kind.
   */
  inflate(
    format: 'raw' | 'zlib' | 'gzip',
    packed: Uint8Array,
    most: number,
    options?: InflateOptions,
  ): Uint8Array;
  hash(name: HashName): Hash;
  /** Fills it with random bytes that nobody can foretell: identifiers are made of them. */
  random(into: Uint8Array): void;
  /** CRC-32 as in gzip. Native code pays for large or single sums, which code that has just been loaded does slowly. */
  crc32(bytes: Uint8Array): number;
  /** Whether the bytes from `start` to `end` are all zero. Native code compares several times as fast as a loop. */
  isZero(bytes: Uint8Array, start: number, end: number): boolean;
  /** How many threads can compute at once. */
  readonly processors: number;
  /** Starts a thread that calls `serveDecoder`. The event loop calls `onFailure` and `onEnd`, each once at most. */
  startDecoder(start: DecoderStart, onFailure: () => void, onEnd: () => void): DecoderThread;
  /** Empty, writable room that ends with the process at the latest. Default: the system's directory for such. */
  scratch(directory?: string): GrowableDisk;
  /** The image of a name that the caller gave: of a host's file the path. Opens nothing. */
  origin(name: string, policy?: ImagePolicy): Origin;
}

let current: Platform | undefined;

/** Hands this thread's platform over. */
export function usePlatform(platform: Platform): void {
  current = platform;
}

/** This thread's platform. */
export function platform(): Platform {
  if (current === undefined)
    throw new Error('this thread was given no platform: its entry calls usePlatform');
  return current;
}
