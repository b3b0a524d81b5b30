/** The bounds checks of every disk. */
import { CorruptError, GuestfsError } from '../base/index.js';

/** Refuses a read that does not lie wholly inside a disk of `size` bytes. */
export function checkRead(what: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new CorruptError(what, 'read past the end', { offset, length, size });
  }
}

/** Refuses a write that does not lie wholly inside a disk of `size` bytes. */
export function checkWrite(what: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new GuestfsError(
      'ENOSPC',
      `${what}: write past the end (offset=${offset}, length=${length}, size=${size})`,
    );
  }
}

/** What a layer that cannot be written says. */
export function readOnly(what: string): GuestfsError {
  return new GuestfsError('EROFS', `${what} is read-only`);
}
