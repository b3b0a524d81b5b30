/**
 * Targets of links that Windows made: paths with drive letters, backslashes and names in any case, translated as ntfs-3g
 * does. A path that this filesystem has gets the case that its names have; any other leads into `.NTFS-3G`, where a user
 * may say what is on a drive. ntfs-3g puts its own mount point in front. Here a target is relative to the link, so that
 * it leads to the same place wherever the filesystem is mounted.
 */
import { CorruptError, decodeText, viewOf } from '../../../base/index.js';
import type { Inode } from '../inode.js';
import { fileNumbers, linkAt, lxSymlinkHeader, reparseTags, symlinkRelative } from '../layout.js';
import { decodeName } from '../names.js';
import { fileName, numberOf } from '../record.js';
import type { NtfsVolume } from '../volume.js';
import { linkName, type Reparse, readReparse } from './reparse.js';

/** Finds a name in whatever case, of several the first in order. */
type FindName = (
  directory: Inode,
  name: string,
) => { readonly name: string; readonly file: number } | undefined;

/** Where a user may make links for what is on other drives. */
const mappingDirectory = '.NTFS-3G';
/** A path has at most 4096 bytes, and so many levels. */
const mostLevels = 2048;
/** Steps of a relative path that ntfs-3g follows. */
const mostSteps = 31;

const driveFrom = /^\\\?\?\\([^\0]):\\/;
const volumeFrom = /^\\\?\?\\Volume\{/;

class Translator {
  readonly #volume: NtfsVolume;
  readonly #link: Inode;
  readonly #find: FindName;

  constructor(volume: NtfsVolume, link: Inode, find: FindName) {
    this.#volume = volume;
    this.#link = link;
    this.#find = find;
  }

  /** `..` for each level that the link is below the root, and then the path from there. */
  #fromRoot(path: string): string {
    let up = '';
    let at = this.#link.parent;
    for (let level = 0; numberOf(at) !== fileNumbers.root; level++) {
      if (level >= mostLevels) throw new CorruptError(fileName(this.#link.number), 'is below no root');
      up += '../';
      at = this.#volume.inode(at).parent;
    }
    return `${up}${path}`;
  }

  /** What `.NTFS-3G` may have for a drive, or for another volume. */
  #elsewhere(path: string): string {
    const slashed = path.replaceAll('\\', '/');
    const upper =
      slashed[1] === ':'
        ? slashed.charAt(0).replace(/[a-z]/, (letter) => letter.toUpperCase()) + slashed.slice(1)
        : slashed;
    return this.#fromRoot(`${mappingDirectory}/${upper}`);
  }

  /** Whether a user has said what is on a drive. */
  #isMapped(letter: string): boolean {
    const root = this.#volume.inode(fileNumbers.root);
    const directory = this.#find(root, mappingDirectory);
    if (directory?.name !== mappingDirectory) return false;
    const inode = this.#volume.inode(directory.file);
    return inode.isDirectory && this.#find(inode, `${letter.toUpperCase()}:`) !== undefined;
  }

  /** A path from the root, as far as it leads without another link; undefined where it leads nowhere. */
  #absolute(path: string): string | undefined {
    let inode = this.#volume.inode(fileNumbers.root);
    let told = '';
    let rest = path;
    do {
      const end = rest.indexOf('\\');
      const name = end < 0 ? rest : rest.slice(0, end);
      const found = this.#find(inode, name);
      if (found === undefined) return undefined;
      inode = this.#volume.inode(found.file);
      told += end < 0 ? found.name : `${found.name}/`;
      rest = end < 0 ? '' : rest.slice(end + 1);
    } while (inode.isDirectory && !inode.has('reparsePoint') && rest !== '');
    const fits = inode.isDirectory === this.#link.isDirectory || inode.has('reparsePoint');
    return fits ? this.#fromRoot(told + rest) : undefined;
  }

  /** A path with a drive, or the name of a volume, in the form of the kernel of Windows. */
  full(path: string): string | undefined {
    const letter = driveFrom.exec(path)?.[1];
    if (letter !== undefined) {
      const inside = path.slice(7);
      const found = inside === '' || this.#isMapped(letter) ? undefined : this.#absolute(inside);
      return found ?? this.#elsewhere(path.slice(4));
    }
    return volumeFrom.test(path) && path.endsWith('\\') ? this.#elsewhere(path.slice(4, -1)) : undefined;
  }

  /** A path from the root of this drive, or of one with a letter. */
  absolute(path: string): string | undefined {
    if (path.startsWith('\\')) return this.#absolute(path.slice(1));
    if (!/^[^\0]:\\/.test(path)) return undefined;
    const inside = path.slice(3);
    const found = inside === '' || this.#isMapped(path.charAt(0)) ? undefined : this.#absolute(inside);
    return found ?? this.#elsewhere(path);
  }

  relative(path: string): string | undefined {
    let inode = this.#volume.inode(this.#link.parent);
    let at = 0;
    let told = '';
    let isLink = false;
    // A single unit at the end is not looked up, as ntfs-3g does not.
    for (let step = 0; !isLink && at < path.length - 1 && step < mostSteps; step++) {
      const dots = /^\.{1,2}\\/.exec(path.slice(at))?.[0];
      if (dots !== undefined) {
        told += `${dots.slice(0, -1)}/`;
        at += dots.length;
        if (dots.length === 3)
          inode = this.#volume.inode(inode.number === fileNumbers.root ? inode.number : inode.parent);
        continue;
      }
      const slash = path.indexOf('\\', at);
      const end = slash < 0 ? path.length : slash;
      if (end === at || !inode.isDirectory) return undefined;
      const found = this.#find(inode, path.slice(at, end));
      if (found === undefined) return undefined;
      inode = this.#volume.inode(found.file);
      isLink = inode.has('reparsePoint');
      told += slash < 0 ? found.name : `${found.name}/`;
      at = slash < 0 ? end : end + 1;
      if (slash < 0 && !isLink && inode.isDirectory !== this.#link.isDirectory) return undefined;
    }
    return told + path.slice(at);
  }
}

function translate(
  volume: NtfsVolume,
  inode: Inode,
  { tag, data, isValid }: Reparse,
  find: FindName,
): string | undefined {
  if (!isValid) return undefined;
  if (tag === reparseTags.lxSymlink) return decodeText(data.subarray(lxSymlinkHeader.size));
  if (tag !== reparseTags.mountPoint && tag !== reparseTags.symlink) return undefined;
  const name = linkName(tag, data);
  if (name === undefined) return undefined;
  const path = decodeName(name);
  const translator = new Translator(volume, inode, find);
  if (tag === reparseTags.mountPoint) return translator.full(path);
  const isRelative = (viewOf(data).getUint32(linkAt.flags, true) & symlinkRelative) !== 0;
  // What the flag says and what the path looks like must agree.
  if (/^\\[?\\]/.test(path)) return isRelative ? undefined : translator.full(path);
  if (!isRelative) return undefined;
  return /^(?:\\|.:)/.test(path) ? translator.absolute(path) : translator.relative(path);
}

/** The target of a link: of one that ntfs-3g cannot translate a text that says so, as in ntfs-3g. */
export function reparseTarget(volume: NtfsVolume, inode: Inode, find: FindName): string {
  const reparse = readReparse(volume, inode);
  const found = translate(volume, inode, reparse, find);
  return found ?? `unsupported reparse tag 0x${reparse.tag.toString(16).padStart(8, '0')}`;
}
