/** Whole small files, for configuration. Every reader gives a length limit. */
import { GuestfsError, readUpTo, systemError } from '../base/index.js';
import type { Place } from './mount.js';

/** The contents of a regular file. EISDIR and EINVAL for other files, EFBIG past `limitInBytes`. */
export function readWhole(place: Place, limitInBytes: number, name: string): Uint8Array {
  if (place.type === 'directory') throw systemError('EISDIR', name);
  if (place.type !== 'file') throw new GuestfsError('EINVAL', `${name}: not a regular file`);
  const disk = place.fileSystem.data(place.inode);
  if (disk.size > limitInBytes) throw systemError('EFBIG', name);
  return readUpTo(disk, 0, limitInBytes);
}

/** The beginning of a regular file, at most `length` bytes. Errors as {@link readWhole}, without EFBIG. */
export function readStart(place: Place, length: number, name: string): Uint8Array {
  if (place.type === 'directory') throw systemError('EISDIR', name);
  if (place.type !== 'file') throw new GuestfsError('EINVAL', `${name}: not a regular file`);
  return readUpTo(place.fileSystem.data(place.inode), 0, length);
}
