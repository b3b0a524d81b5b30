/** The facts about a path: its inode, its type, its target, its extended attributes. */

import { type Structs, statStruct } from '../../api/index.js';
import { encodeText, GuestfsError, systemError } from '../../base/index.js';
import { makeDeviceNumber } from '../../formats/index.js';
import { type DirectoryEntry, type FileType, heeding } from '../../fs/index.js';
import { caseSensitivePath, joinPath, type Place, type TreeStat } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { formatAcl } from '../words/acl.js';
import { formatCapabilities } from '../words/capabilities.js';

/** What `statns` gives. */
export function statns(stat: TreeStat): Structs['statns'] {
  return {
    stDev: stat.device,
    stIno: stat.inode,
    stMode: stat.mode,
    stNlink: stat.linkCount,
    stUid: stat.uid,
    stGid: stat.gid,
    stRdev: makeDeviceNumber(stat.deviceMajor, stat.deviceMinor),
    stSize: stat.sizeInBytes,
    stBlksize: stat.blockSize,
    stBlocks: stat.blockCount512,
    stAtimeSec: stat.accessed.seconds,
    stAtimeNsec: stat.accessed.nanoseconds,
    stMtimeSec: stat.modified.seconds,
    stMtimeNsec: stat.modified.nanoseconds,
    stCtimeSec: stat.changed.seconds,
    stCtimeNsec: stat.changed.nanoseconds,
    stSpare1: 0,
    stSpare2: 0,
    stSpare3: 0,
    stSpare4: 0,
    stSpare5: 0,
    stSpare6: 0,
  };
}

/** The answer of `statnslist` for a name that does not exist. */
const missingStat: Structs['statns'] = {
  ...statns({
    device: 0,
    inode: -1,
    mode: 0,
    linkCount: 0,
    uid: 0,
    gid: 0,
    deviceMajor: 0,
    deviceMinor: 0,
    sizeInBytes: 0,
    blockSize: 0,
    blockCount512: 0,
    accessed: { seconds: 0, nanoseconds: 0 },
    modified: { seconds: 0, nanoseconds: 0 },
    changed: { seconds: 0, nanoseconds: 0 },
  }),
};

/** The result of `work` for a file; undefined if damage, which is reported, makes it unreadable. */
function heed<T>({ session: { damage } }: Call, path: string, work: () => T): T | undefined {
  return heeding((error) => damage.leaveOut(error, path), work);
}

/** So many names are looked for in a list of the directory, which is far quicker than a search for each. */
const listedNames = 64;
/** Of a directory with more than so many times the names that are asked for, the rest is not listed. */
const listedShare = 8;

/** Entries with the given names, as far as a list of the directory is worth it and undamaged: the rest is searched. */
function entriesOf(
  { session: { tree } }: Call,
  directory: Place,
  names: readonly string[],
): ReadonlyMap<string, DirectoryEntry> {
  const found = new Map<string, DirectoryEntry>();
  if (names.length < listedNames) return found;
  const wanted = new Set(names);
  let left = listedShare * names.length;
  // Damage is told of the names that are not found for it.
  const ignore = (): void => {};
  heeding(ignore, () => {
    for (const entry of tree.entries(directory, ignore)) {
      if (left-- === 0) break;
      if (wanted.has(entry.name) && !found.has(entry.name)) found.set(entry.name, entry);
    }
  });
  return found;
}

/**
 * The entries of a directory with the given names, links not followed; undefined for missing ones and, with a
 * warning, for unreadable ones.
 */
function places(call: Call, directory: string, names: readonly string[]): (Place | undefined)[] {
  const { tree } = call.session;
  const place = tree.resolve(directory);
  if (place.type !== 'directory') throw systemError('ENOTDIR', directory);
  const listed = entriesOf(call, place, names);
  return names.map((name) => {
    call.checkpoint();
    const entry = listed.get(name);
    // An entry's own word about the type is not taken, as in a search.
    if (entry !== undefined)
      return heed(call, joinPath(directory, name), () => tree.enter(place, { ...entry, type: 'unknown' }));
    if (name.includes('/'))
      throw new GuestfsError('EINVAL', `${name}: expecting a name in ${directory}, not a path`);
    const path = joinPath(directory, name);
    return name === '' ? undefined : heed(call, path, () => tree.find(path, { followLast: false }));
  });
}

function statnslist(call: Call, directory: string, names: readonly string[]): Structs['statns'][] {
  const { tree } = call.session;
  return places(call, directory, names).map((place, index) => {
    const path = joinPath(directory, names[index] ?? '');
    return (place && heed(call, path, () => statns(tree.statOf(place)))) ?? missingStat;
  });
}

/** Whether a path exists and is of a kind. A link is followed only if requested. */
function isKind(call: Call, path: string, kind: FileType, followLast: boolean): boolean {
  return call.session.tree.find(path, { followLast })?.type === kind;
}

/** Exported for the compiler. */
export interface Follow {
  readonly followsymlinks?: boolean | undefined;
}

function xattrsOf(place: Place): Structs['xattr'][] {
  return [...place.fileSystem.xattrs(place.inode)].map(([attrname, attrval]) => ({ attrname, attrval }));
}

/** The names that attributes may have. xattr(7). */
const namespaces = /^(?:user|trusted|security)\.|^system\.posix_acl_(?:access|default)$/;
/** The kernel's `XATTR_NAME_MAX`, in bytes. */
const attributeNameLimit = 255;

function xattr(call: Call, path: string, name: string, followLast: boolean): Uint8Array {
  const place = call.session.tree.resolve(path, { followLast });
  if (name === '' || encodeText(name).length > attributeNameLimit)
    throw systemError('ERANGE', `attribute '${name}'`);
  const value = attributeOf(place, name, path);
  if (value === undefined) throw systemError('ENODATA', `${path}: ${name}`, { path });
  return value;
}

function attributeOf({ fileSystem, inode }: Place, name: string, path: string): Uint8Array | undefined {
  const unsupported = fileSystem.xattr === undefined && !(fileSystem.hasXattrs && namespaces.test(name));
  if (unsupported) throw systemError('EOPNOTSUPP', `${path}: attribute '${name}'`, { path });
  if (name.endsWith('.')) throw systemError('EINVAL', `${path}: attribute '${name}'`, { path });
  return fileSystem.xattr === undefined ? fileSystem.xattrs(inode).get(name) : fileSystem.xattr(inode, name);
}

/** A file of a filesystem that has extended attributes; EOPNOTSUPP on other filesystems. */
function placeWithXattrs(call: Call, path: string): Place {
  const place = call.session.tree.resolve(path);
  if (!place.fileSystem.hasXattrs) throw systemError('EOPNOTSUPP', path);
  return place;
}

export const attributeHandlers = {
  statns: (call, path) => statns(call.session.tree.stat(path)),
  lstatns: (call, path) => statns(call.session.tree.lstat(path)),
  lstatnslist: statnslist,
  stat: (call, path) => statStruct(statns(call.session.tree.stat(path))),
  lstat: (call, path) => statStruct(statns(call.session.tree.lstat(path))),
  lstatlist: (call, path, names) => statnslist(call, path, names).map(statStruct),
  statvfs(call, path) {
    const place = call.session.tree.resolve(path);
    const usage = place.fileSystem.usage();
    return {
      bsize: usage.blockSize,
      frsize: usage.fragmentSize,
      blocks: usage.blocks,
      bfree: usage.freeBlocks,
      bavail: usage.availableBlocks,
      files: usage.inodes,
      ffree: usage.freeInodes,
      favail: usage.freeInodes,
      // A filesystem without an identity of its own has its device's.
      fsid: usage.id === 0n ? BigInt(place.mount.deviceNumber) : usage.id,
      flag: place.mount.flags | (place.mount.readonly ? 1 : 0),
      namemax: usage.nameMax,
    };
  },

  exists: (call, path) => call.session.tree.find(path, { followLast: false }) !== undefined,
  is_file: (call, path, { followsymlinks }: Follow) => isKind(call, path, 'file', followsymlinks ?? false),
  is_dir: (call, path, { followsymlinks }: Follow) =>
    isKind(call, path, 'directory', followsymlinks ?? false),
  is_blockdev: (call, path, { followsymlinks }: Follow) =>
    isKind(call, path, 'block', followsymlinks ?? false),
  is_chardev: (call, path, { followsymlinks }: Follow) =>
    isKind(call, path, 'character', followsymlinks ?? false),
  is_fifo: (call, path, { followsymlinks }: Follow) => isKind(call, path, 'fifo', followsymlinks ?? false),
  is_socket: (call, path, { followsymlinks }: Follow) =>
    isKind(call, path, 'socket', followsymlinks ?? false),
  is_symlink: (call, path) => isKind(call, path, 'symlink', false),

  readlink: (call, path) => call.session.tree.readlink(path),
  readlinklist: (call, path, names) =>
    places(call, path, names).map((place, index) => {
      if (place?.type !== 'symlink') return '';
      const link = joinPath(path, names[index] ?? '');
      return heed(call, link, () => place.fileSystem.readlink(place.inode)) ?? '';
    }),
  realpath: (call, path) => call.session.tree.realpath(path),
  case_sensitive_path: (call, path) => caseSensitivePath(call.session.tree, path),

  getxattrs: (call, path) => xattrsOf(call.session.tree.resolve(path)),
  lgetxattrs: (call, path) => xattrsOf(call.session.tree.resolve(path, { followLast: false })),
  getxattr: (call, path, name) => xattr(call, path, name, true),
  lgetxattr: (call, path, name) => xattr(call, path, name, false),
  /**
   * For each name, an entry with the number of its attributes, as text with a closing NUL, then the attributes. The
   * value is empty for a missing name, and so for all names if the path is no directory.
   */
  lxattrlist: (call, path, names) =>
    (call.session.tree.find(path)?.type === 'directory'
      ? places(call, path, names)
      : names.map(() => undefined)
    ).flatMap((place, index) => {
      const file = joinPath(path, names[index] ?? '');
      const attributes = place && heed(call, file, () => xattrsOf(place));
      const count = attributes === undefined ? '' : `${attributes.length}\0`;
      return [{ attrname: '', attrval: new TextEncoder().encode(count) }, ...(attributes ?? [])];
    }),
  acl_get_file(call, path, type) {
    if (type !== 'access' && type !== 'default') {
      throw new GuestfsError('EINVAL', `${type}: expecting 'access' or 'default'`);
    }
    const place = placeWithXattrs(call, path);
    if (type === 'default' && place.type !== 'directory') throw systemError('EACCES', path);
    const value = attributeOf(place, `system.posix_acl_${type}`, path);
    return formatAcl(value, type, place.fileSystem.stat(place.inode).mode);
  },
  cap_get_file(call, path) {
    const place = placeWithXattrs(call, path);
    const value = attributeOf(place, 'security.capability', path);
    return value === undefined ? '' : formatCapabilities(value);
  },
  getcon: () => {
    throw new GuestfsError('ENOTSUP', 'there is no SELinux where nothing runs');
  },
} satisfies TopicHandlers;
