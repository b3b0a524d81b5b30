/**
 * The entries of an initrd: cpio archives after each other, perhaps compressed, where the first is often only a
 * processor's microcode (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst).
 */
import { type ByteSource, readUpTo, sourceOf } from '../base/index.js';
import { type CpioEntry, cpioEntries, isCpio } from '../formats/index.js';
import { packingMarkLength, packingOf, unpack } from './unpack.js';

/** An initrd with more archives is none. */
const archiveLimit = 64;

/** The offset of the next archive, after any zeroes. */
function skipZeroes(source: ByteSource, start: number): number {
  const piece = 65536;
  for (let at = start; at < source.size; at += piece) {
    const found = readUpTo(source, at, piece).findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return source.size;
}

/**
 * The entries of all archives in an initrd. `what` names the file in errors. CorruptError if the file is no archive
 * at all; later data that is no archive is skipped.
 */
export function* initrdEntries(source: ByteSource, what: string): Generator<CpioEntry, void> {
  let from = source;
  let at = 0;
  for (let archives = 0; archives < archiveLimit && at < from.size; archives++) {
    const head = readUpTo(from, at, packingMarkLength);
    if (packingOf(head) !== undefined) {
      // The rest of the file is one compressed stream: its end in the file cannot be known, so nothing after it is
      // read.
      from = sourceOf(unpack(from, what, { start: at }) ?? new Uint8Array(0));
      at = 0;
      continue;
    }
    if (archives > 0 && !isCpio(head)) return;
    at = skipZeroes(from, yield* cpioEntries(from, at));
  }
}
