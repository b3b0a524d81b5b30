/**
 * Looks for a well-known program in an initrd: cpio archives after each other in the "newc" format, perhaps
 * compressed (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst). The first archive is often
 * only a processor's microcode. Numbers in headers are eight hexadecimal digits.
 */
import { gunzipSync, constants as zlibConstants } from 'node:zlib';
import { CorruptError, UnsupportedError } from '../base/index.js';
import type { Place } from '../vfs/index.js';
import { findCompression, isGzip } from './compression.js';

/** Programs that every initrd has one of, from whose architecture its own is told. */
const programs = new Set(
  ['bin/ls', 'bin/rm', 'bin/modprobe', 'sbin/modprobe', 'bin/sh', 'bin/bash', 'bin/dash', 'bin/nash'].flatMap(
    (name) => [name, `usr/${name}`],
  ),
);

const headerLength = 110;
const nameLimit = 4096;
/** An initrd with more entries, or more archives, is none. */
const entryLimit = 200_000;
const archiveLimit = 16;
/** How much of a program is given back, in bytes. */
const headLength = 4096;
/** The most that a compressed archive is expanded to, in bytes. */
const expandedLimit = 256 * 1024 * 1024;
const firstPacked = 1024 * 1024;

/** Bytes to look through: a file, or what came out of one. */
interface Source {
  readonly size: number;
  read(into: Uint8Array, offset: number): void;
}

/** The end of an archive, or the program found in it. */
type Walked = { readonly program: Uint8Array } | { readonly end: number };

function bytesAt(source: Source, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - offset)));
  source.read(bytes, offset);
  return bytes;
}

const roundUp = (offset: number): number => Math.ceil(offset / 4) * 4;

/** Goes through one archive, to the program or to its end. Undefined where the bytes end first. */
function walkArchive(source: Source, start: number): Walked | undefined {
  let at = start;
  for (let entries = 0; entries < entryLimit; entries++) {
    const header = Buffer.from(bytesAt(source, at, headerLength)).toString('latin1');
    if (header.length < headerLength) return undefined;
    const field = (index: number): number => {
      const digits = header.slice(6 + index * 8, 14 + index * 8);
      if (!/^[0-9a-fA-F]{8}$/.test(digits))
        throw new CorruptError('cpio header', 'has no number', { at, index });
      return Number.parseInt(digits, 16);
    };
    if (!isCpio(header)) throw new CorruptError('cpio header', 'has no magic', { at });
    const nameLength = field(11);
    const size = field(6);
    if (nameLength === 0 || nameLength > nameLimit) {
      throw new CorruptError('cpio header', 'has an impossible name', { at, nameLength });
    }
    const name = Buffer.from(bytesAt(source, at + headerLength, nameLength - 1)).toString('latin1');
    const data = roundUp(at + headerLength + nameLength);
    if (name === 'TRAILER!!!') return { end: data };
    const isFile = (field(1) & 0o170000) === 0o100000;
    if (isFile && size > 0 && programs.has(name.replace(/^(?:\.?\/)+/, ''))) {
      if (data + Math.min(size, headLength) > source.size) return undefined;
      return { program: bytesAt(source, data, Math.min(size, headLength)) };
    }
    at = roundUp(data + size);
  }
  throw new CorruptError('cpio archive', 'has too many entries', { entryLimit });
}

function isCpio(header: string): boolean {
  return header.startsWith('070701') || header.startsWith('070702');
}

/** Where the next archive begins: after any zeroes. */
function skipZeroes(source: Source, start: number): number {
  const piece = 65536;
  for (let at = start; at < source.size; at += piece) {
    const found = bytesAt(source, at, piece).findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return source.size;
}

/** The first bytes of a well-known program in an initrd; undefined where there is none. */
export function findInInitrd(place: Place, name: string): Uint8Array | undefined {
  const source = place.fileSystem.data(place.inode);
  let at = 0;
  for (let archives = 0; archives < archiveLimit && at < source.size; archives++) {
    const head = bytesAt(source, at, 16);
    if (isGzip(head)) return findInPacked(source, at, name);
    const compression = findCompression(head);
    if (compression !== undefined) {
      throw new UnsupportedError(name, [`${compression} compression (the direct backend has it)`]);
    }
    if (!isCpio(Buffer.from(head).toString('latin1'))) return undefined;
    const walked = walkArchive(source, at);
    if (walked === undefined) return undefined;
    if ('program' in walked) return walked.program;
    at = skipZeroes(source, walked.end);
  }
  return undefined;
}

/** Expands ever larger beginnings, as the program is mostly found early. */
function findInPacked(source: Source, start: number, name: string): Uint8Array | undefined {
  for (let length = firstPacked; ; length *= 4) {
    const packed = bytesAt(source, start, length);
    const bytes = expand(packed, name);
    const unpacked: Source = {
      size: bytes.length,
      read: (into, offset) => into.set(bytes.subarray(offset, offset + into.length)),
    };
    const walked = walkArchive(unpacked, 0);
    if (walked !== undefined) return 'program' in walked ? walked.program : undefined;
    if (packed.length < length) return undefined;
  }
}

function expand(packed: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(packed, { finishFlush: zlibConstants.Z_SYNC_FLUSH, maxOutputLength: expandedLimit });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UnsupportedError(name, [`an initrd of more than ${expandedLimit} bytes`], { cause });
    }
    throw new CorruptError('gzip file', (cause as Error).message, {}, { cause });
  }
}
