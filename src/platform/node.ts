/**
 * The platform that is Node. zlib and crypto are loaded at their first use: most calls need neither, and every launch
 * would wait for them.
 */
import { availableParallelism } from 'node:os';
import { GuestfsError } from '../base/index.js';
import { HostOrigin, openScratch } from '../disk/host/index.js';
import type { Platform } from '../disk/index.js';
import { startDecoder } from './decoder.js';

/** Slightly more than comes out, so that zlib sees the end without asking for a second buffer. */
const chunkFor = (size: number): number => Math.max(64, size + 64);

/** What is compared with zeroes at once, in bytes: little enough to stay in the processor's cache. */
const zeroesLength = 8192;

class NodePlatform implements Platform {
  readonly hash: Platform['hash'] = (name) => process.getBuiltinModule('node:crypto').createHash(name);
  readonly random: Platform['random'] = (into) => {
    process.getBuiltinModule('node:crypto').randomFillSync(into);
  };
  readonly startDecoder = startDecoder;
  readonly scratch = openScratch;
  readonly origin: Platform['origin'] = (name, policy = 'untrusted') => new HostOrigin(name, policy);
  #zeroes: Buffer | undefined;
  #loaded: typeof import('node:zlib') | undefined;

  /** Kept: each call of getBuiltinModule goes through all exports of the module. */
  get #zlib(): typeof import('node:zlib') {
    this.#loaded ??= process.getBuiltinModule('node:zlib');
    return this.#loaded;
  }

  crc32: Platform['crc32'] = (bytes) => this.#zlib.crc32(bytes);

  isZero: Platform['isZero'] = (bytes, start, end) => {
    this.#zeroes ??= Buffer.alloc(zeroesLength);
    for (let at = start; at < end; at += zeroesLength) {
      const length = Math.min(zeroesLength, end - at);
      if (this.#zeroes.compare(bytes, at, at + length, 0, length) !== 0) return false;
    }
    return true;
  };

  get processors(): number {
    return availableParallelism();
  }

  inflate: Platform['inflate'] = (format, packed, most, { partial = false, expected } = {}) => {
    const { constants, inflateRawSync, inflateSync, gunzipSync } = this.#zlib;
    const expand = { raw: inflateRawSync, zlib: inflateSync, gzip: gunzipSync }[format];
    try {
      return expand(packed, {
        finishFlush: partial ? constants.Z_SYNC_FLUSH : constants.Z_FINISH,
        maxOutputLength: most,
        ...(expected === undefined ? {} : { chunkSize: chunkFor(expected) }),
      });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') throw cause;
      throw new GuestfsError('EFBIG', `expands to more than ${most} bytes`, { cause });
    }
  };
}

export const node: Platform = new NodePlatform();
