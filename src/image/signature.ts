/** Looks for a format's signature; never fails. */
import { GuestfsError, readUpTo } from '../base/index.js';
import type { Disk } from '../disk/index.js';

/** Up to `length` bytes at `offset`, in a new array: fewer at the end of the disk, none if they cannot be read. */
export function readPart(file: Disk, offset: number, length: number): Uint8Array<ArrayBuffer> {
  try {
    return readUpTo(file, offset, length);
  } catch (thrown) {
    if (thrown instanceof GuestfsError) return new Uint8Array(0); // unreadable is unrecognised; opening tells why
    throw thrown;
  }
}

/** Whether bytes begin with a signature, which is written with one character U+0000…U+00FF for each byte. */
export function startsWith(bytes: Uint8Array, mark: string): boolean {
  if (bytes.length < mark.length) return false;
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark.charCodeAt(i)) return false;
  return true;
}
