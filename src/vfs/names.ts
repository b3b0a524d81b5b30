/**
 * Path texts: splitting, the kernel's limits, and the byte-wise order of names. Linux paths are bytes; here they are
 * strings in which an undecodable byte is a lone surrogate (see `decodeText`). So length and order are computed on
 * the bytes.
 */
import { encodeText, GuestfsError } from '../base/index.js';

/** `NAME_MAX`: the longest component, in bytes. */
const nameLimit = 255;
/** `PATH_MAX`, which counts the terminating NUL: a path has at most 4095 bytes. */
const pathLimit = 4096;

/**
 * Whether text is longer than `limit` bytes. A UTF-16 unit has at most three bytes, so short text need not be
 * encoded.
 */
function longerThan(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  return text.length > limit || encodeText(text).length > limit;
}

/**
 * Whether a component is longer than a filesystem allows. The default limit is that of filesystems in which names can
 * be made.
 */
export function isNameTooLong(name: string, limit: number = nameLimit): boolean {
  return longerThan(name, limit);
}

/** Whether a path, or a link's target, is longer than the kernel allows. */
export function isPathTooLong(path: string): boolean {
  return longerThan(path, pathLimit - 1);
}

/** Throws EINVAL unless the path is absolute and free of NULs. */
export function checkAbsolute(path: string): void {
  if (!path.startsWith('/')) {
    throw new GuestfsError('EINVAL', `${path}: path must start with a / character`);
  }
  if (path.includes('\0')) throw new GuestfsError('EINVAL', `${path}: path contains a NUL character`);
}

/**
 * The components of a path, last one first (a stack for walking). A trailing slash becomes a last component `.`: it
 * requires a directory and follows a link before it, exactly as `.` would.
 */
export function stackComponents(path: string): string[] {
  const components = path.split('/').filter((component) => component !== '');
  if (path.endsWith('/') && components.length > 0) components.push('.');
  return components.reverse();
}

/** A directory's path joined with a name in it. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}
