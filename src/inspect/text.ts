/**
 * Small text files of a guest, which may hold anything. File size and line length are bounded, because several of the
 * expressions take time that grows with the square or cube of the length.
 */
import { decodeText } from '../base/index.js';
import { type Place, readWhole, type Tree } from '../vfs/index.js';
import type { Version } from './facts.js';

/** The largest configuration file that is read, in bytes, as in libguestfs. */
const smallFileLimit = 2 * 1024 * 1024;
/** How many characters of a line the expressions see. */
const matchedLength = 1024;

/** Whether a path is a regular file; links are followed. */
export function isFile(tree: Tree, path: string): boolean {
  return findQuietly(tree, path, true)?.type === 'file';
}

/** Whether a path is a regular file and no link to one. */
export function isPlainFile(tree: Tree, path: string): boolean {
  return findQuietly(tree, path, false)?.type === 'file';
}

/** Whether a path is a directory and no link to one. */
export function isPlainDirectory(tree: Tree, path: string): boolean {
  return findQuietly(tree, path, false)?.type === 'directory';
}

/** As `Tree.find`. Circular links and too long names count as not found. */
export function findQuietly(tree: Tree, path: string, followLast: boolean): Place | undefined {
  try {
    return tree.find(path, { followLast });
  } catch (thrown) {
    const code = (thrown as { code?: unknown }).code;
    if (code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined;
    throw thrown;
  }
}

/** The lines of a small regular file, each up to its first NUL; undefined if it does not exist or is too large. */
export function readLines(tree: Tree, path: string): string[] | undefined {
  const place = findQuietly(tree, path, true);
  if (place?.type !== 'file') return undefined;
  if (place.fileSystem.stat(place.inode).sizeInBytes > smallFileLimit) return undefined;
  return decodeText(readWhole(place, smallFileLimit, path))
    .split('\n')
    .map((line) => {
      const end = line.indexOf('\0');
      return end < 0 ? line : line.slice(0, end);
    });
}

/** The matches of an expression in the beginning of a line. */
export function matchLine(line: string, expression: RegExp): RegExpExecArray | null {
  return expression.exec(line.slice(0, matchedLength));
}

/** Lines `KEY=value` without comments, in order; the values are unchanged. */
export function* keyValues(lines: readonly string[]): Iterable<readonly [key: string, value: string]> {
  for (const line of lines) {
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    if (equals > 0) yield [line.slice(0, equals), line.slice(equals + 1)];
  }
}

/** Takes off the quotes around a value. */
export function unquote(value: string): string {
  const quote = value[0];
  const quoted = value.length >= 2 && (quote === '"' || quote === "'") && value.endsWith(quote);
  return quoted ? value.slice(1, -1) : value;
}

/** Removes quotes as a shell does: within double quotes a backslash protects `$`, a backtick, `"` and itself. */
export function shellUnquote(value: string): string {
  const inner = unquote(value);
  return value.startsWith('"') && inner !== value ? inner.replace(/\\([$`"\\])/g, '$1') : inner;
}

/** Digits as a number that fits into the 32 bits of the calls' results. */
export function parseNumber(digits: string | undefined): number | undefined {
  if (digits === undefined || !/^[0-9]{1,10}$/.test(digits)) return undefined;
  const value = Number(digits);
  return value < 2 ** 31 ? value : undefined;
}

/** `major.minor`, or a single number, anywhere in a text. */
export function findVersion(text: string): Version | undefined {
  const both = matchLine(text, /([0-9]+)\.([0-9]+)/);
  const major = parseNumber((both ?? matchLine(text, /([0-9]+)/))?.[1]);
  if (major === undefined) return undefined;
  return { major, minor: parseNumber(both?.[2]) ?? 0 };
}
