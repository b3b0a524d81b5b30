/** Looking for a format's mark without ever failing. */
import { GuestfsError, readUpTo } from '../base/index.js';
import type { Disk } from '../disk/index.js';

/** Up to `length` bytes at `offset`: fewer where the disk ends, none where it cannot be read. A buffer of its own. */
export function readPart(file: Disk, offset: number, length: number): Uint8Array<ArrayBuffer> {
  try {
    return readUpTo(file, offset, length);
  } catch (thrown) {
    if (thrown instanceof GuestfsError) return new Uint8Array(0); // unreadable is unrecognised; opening tells why
    throw thrown;
  }
}

/** Whether bytes begin with a mark, written with one character U+0000…U+00FF a byte. */
export function startsWith(bytes: Uint8Array, mark: string): boolean {
  if (bytes.length < mark.length) return false;
  for (let i = 0; i < mark.length; i++) if (bytes[i] !== mark.charCodeAt(i)) return false;
  return true;
}
