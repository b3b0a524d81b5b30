/**
 * Changes to the guest's tree, through paths: the only way to a driver's writer. The rules are those of the kernel's
 * fs/namei.c, fs/open.c, fs/attr.c and fs/xattr.c for root, to whom no permission is denied. All that can be refused
 * is refused before anything is changed.
 */
import { type ErrnoName, encodeText, GuestfsError, systemError, UnsupportedError } from '../base/index.js';
import type { GrowableDisk } from '../disk/index.js';
import type { FileSystemWriter, InodeNumber, InodeStat, NewAttributes, NewInode } from '../fs/index.js';
import { accessListName, defaultListName, inherit, settle, withPermissions } from './access-lists.js';
import type { Child, Mount, Place } from './mount.js';
import { isNameTooLong, isPathTooLong } from './names.js';
import { ToldContents } from './told-contents.js';
import type { Position, Tree } from './tree.js';
import type { TreeChange } from './tree-change.js';

/** Bits of a mode. */
const setUserId = 0o4000;
const setGroupId = 0o2000;
const groupExecute = 0o010;
const permissionBits = 0o7777;
/** Those that mkdir(2) takes. */
const directoryBits = 0o1777;

/** `FS_IMMUTABLE_FL` and `FS_APPEND_FL` of linux/fs.h. */
const immutableFlag = 0x10;
const appendFlag = 0x20;

const capabilityName = 'security.capability';
/** The kernel's `XATTR_NAME_MAX` and `XATTR_SIZE_MAX`, in bytes. */
const attributeNameLimit = 255;
const attributeValueLimit = 65536;
/** The most directories above one: a path has at most 4096 bytes, and a damaged disk may have a loop. */
const mostAbove = 4096;

/** What a writer works with. */
interface WriterContext {
  /** As in `umask(2)`. */
  readonly umask: number;
  /** Called once something is changed: what fails from then on leaves that behind. */
  touch(): void;
  /** Called with each change. */
  readonly changed?: ((change: TreeChange) => void) | undefined;
  /** Why what a mount lies on cannot be written; undefined where that is for its filesystem to say. */
  refusal?(mount: Mount): GuestfsError | undefined;
}

/** A file that is to be made. Its owner is root, and its group root's, or that of a directory that says so. */
export type NewFile = Omit<NewInode, 'uid' | 'gid'>;

interface OpenOptions {
  /** Whether a file that does not exist is made, with these permissions, umask not applied. */
  readonly create?: number;
  /** Whether what it holds is dropped. */
  readonly truncate?: boolean;
}

/** A file whose contents are changed, until they are closed. */
export interface OpenFile {
  readonly place: Place;
  readonly contents: GrowableDisk;
}

export class TreeWriter {
  readonly #tree: Tree;
  readonly #context: WriterContext;

  constructor(tree: Tree, context: WriterContext) {
    this.#tree = tree;
    this.#context = context;
  }

  /** Whether a file's filesystem is mounted for writing and has a driver that writes. */
  static writes({ mount, fileSystem }: Place): boolean {
    return !mount.readonly && fileSystem.writer !== undefined;
  }

  /** Throws what any change at a path would: EROFS, or why the filesystem is not written. */
  checkWritable(path: string): void {
    this.#writer(this.#tree.resolve(path), path);
  }

  // Making

  /**
   * Makes a file that is not there yet. EEXIST, ENOENT, EPERM for a directory by another name; a slash behind the name
   * is allowed for directories alone.
   */
  create(path: string, what: NewFile): Place {
    const position = this.#newPosition(path, what.type === 'directory');
    return this.createIn(position.directory, position.name, what, path);
  }

  /** The same in a directory that was found. `path`: for errors. */
  createIn(directory: Place, name: string, what: NewFile, path = name): Place {
    const writer = this.#directoryWriter(directory, path, 'append-only');
    const inode = this.#make(writer, directory, name, what, path);
    const place = { ...directory, inode, type: what.type };
    this.#context.changed?.({ kind: 'made', directory, name, place, isLink: false });
    return place;
  }

  /** Gives a file, also a symbolic link, another name. EEXIST, EXDEV, EPERM for a directory. */
  link(from: string, to: string): void {
    const source = this.#tree.resolve(from, { followLast: false });
    const { directory, name } = this.#newPosition(to, false);
    this.linkIn(source, directory, name, to);
  }

  linkIn(source: Place, directory: Place, name: string, path = name): void {
    if (source.mount !== directory.mount) throw systemError('EXDEV', path);
    const writer = this.#directoryWriter(directory, path, 'append-only');
    if (source.type === 'directory') throw systemError('EPERM', path);
    this.#checkProtection(source, path, 'any');
    this.#attempt(path, () => writer.link(source.inode, directory.inode, name));
    this.#context.changed?.({ kind: 'made', directory, name, place: source, isLink: true });
  }

  // Contents

  /** Opens a file for changing its contents, links followed, as open(2) does: EISDIR, ENOENT; EINVAL for no file. */
  open(path: string, { create, truncate = false }: OpenOptions = {}): OpenFile {
    const found = create === undefined ? this.#tree.resolve(path) : this.#tree.resolveOrLocate(path);
    if (!('name' in found)) return this.openPlace(found, path, { truncate });
    const { directory, name } = found;
    const place = this.createIn(directory, name, { type: 'file', permissions: create ?? 0 }, path);
    return this.#contents(place, path);
  }

  /** The same for a file that was found. */
  openPlace(place: Place, path: string, { truncate = false }: Pick<OpenOptions, 'truncate'> = {}): OpenFile {
    this.#checkFile(place, path);
    this.#writer(place, path);
    // What may only grow is not emptied; a driver hears of neither.
    this.#checkProtection(place, path, truncate ? 'any' : 'append-only');
    this.#dropCapabilities(place, path);
    const opened = this.#contents(place, path);
    if (truncate) {
      try {
        this.#attempt(path, () => opened.contents.resize(0));
      } catch (thrown) {
        opened.contents.close();
        throw thrown;
      }
    }
    return opened;
  }

  /** Takes space for a range of a file. */
  allocate({ place }: OpenFile, offset: number, length: number, path: string): void {
    const writer = this.#writer(place, path);
    this.#attempt(path, () => writer.allocate(place.inode, offset, length));
    this.#context.changed?.({ kind: 'contents', place });
  }

  // Removing and renaming

  /** Removes the name of what is no directory. ENOENT, EISDIR, ENOTDIR for a slash behind it. */
  unlink(path: string): void {
    const position = this.#tree.position(path);
    if (position.last !== 'name') throw systemError('EISDIR', path);
    const { directory, name, hasSlash } = position;
    const writer = this.#writer(directory, path);
    const child = this.#child(directory, name, path);
    if (child.type === 'directory') throw systemError('EISDIR', path);
    if (hasSlash) throw systemError('ENOTDIR', path);
    this.#remove(writer, directory, name, child, path);
  }

  /** Removes an empty directory. ENOENT, ENOTDIR, ENOTEMPTY; EBUSY for a mount point, EINVAL for `.`. */
  rmdir(path: string): void {
    const { last, directory, name } = this.#tree.position(path);
    if (last !== 'name') throw systemError(cannotRemove[last], path);
    const writer = this.#writer(directory, path);
    const child = this.#child(directory, name, path);
    if (child.type !== 'directory') throw systemError('ENOTDIR', path);
    this.#remove(writer, directory, name, child, path);
  }

  /** Removes a file or an empty directory that was found in a directory. */
  removeIn(directory: Place, name: string, path = name): void {
    const writer = this.#writer(directory, path);
    this.#remove(writer, directory, name, this.#child(directory, name, path), path);
  }

  /**
   * Gives a file or a directory a new path, where it replaces what is there. EXDEV between mounts, EBUSY for mount
   * points, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL where a directory would get into itself.
   */
  rename(from: string, to: string): void {
    const [source, target] = [this.#tree.position(from), this.#tree.position(to)];
    if (source.directory.mount !== target.directory.mount) throw systemError('EXDEV', to);
    for (const { last } of [source, target]) if (last !== 'name') throw systemError('EBUSY', to);
    const { mount } = source.directory;
    const writer = this.#directoryWriter(source.directory, from, 'any');
    this.#checkProtection(target.directory, to, 'any');
    const child = this.#child(source.directory, source.name, from);
    const replaced = this.#tree.child(target.directory, target.name);
    const isDirectory = child.type === 'directory';
    if (!isDirectory && (source.hasSlash || target.hasSlash)) throw systemError('ENOTDIR', from);
    if (isDirectory) this.#checkNotInside(source.directory, child.inode, target.directory, to);
    if (replaced !== undefined) {
      if (replaced.type === 'directory')
        this.#checkNotInside(target.directory, replaced.inode, source.directory, to, 'ENOTEMPTY');
      if (replaced.inode === child.inode) return;
      if (isDirectory && replaced.type !== 'directory') throw systemError('ENOTDIR', to);
      if (!isDirectory && replaced.type === 'directory') throw systemError('EISDIR', to);
      this.#checkProtection({ ...target.directory, ...replaced }, to, 'any');
    }
    this.#checkProtection({ ...source.directory, ...child }, from, 'any');
    for (const one of [child, replaced])
      if (one !== undefined && mount.covers.has(one.inode)) throw systemError('EBUSY', to);
    const gone = replaced && this.#fate({ ...target.directory, ...replaced });
    this.#attempt(to, () =>
      writer.rename(source.directory.inode, source.name, target.directory.inode, target.name),
    );
    this.#tree.forget(source.directory, source.name);
    this.#tree.forget(target.directory, target.name);
    const place = { ...source.directory, ...child };
    this.#context.changed?.({ kind: 'moved', from: source, to: target, place, replaced: gone });
  }

  // Attributes

  /** As chmod(2), links followed. */
  chmod(path: string, permissions: number): void {
    this.chmodPlace(this.#tree.resolve(path), permissions, path);
  }

  chmodPlace(place: Place, permissions: number, path: string): void {
    const writer = this.#attributeWriter(place, path);
    const mode = permissions & permissionBits;
    const list = place.fileSystem.hasXattrs
      ? place.fileSystem.xattrs(place.inode).get(accessListName)
      : undefined;
    const xattrs = list === undefined ? undefined : new Map([[accessListName, withPermissions(list, mode)]]);
    this.#change(place, path, () =>
      writer.setAttributes(place.inode, { permissions: mode, ...(xattrs ? { xattrs } : {}) }),
    );
  }

  /** As chown(2) and lchown(2): what a program would get by another owner's file is taken from it. */
  chown(path: string, uid: number, gid: number, { followLast = true } = {}): void {
    this.chownPlace(this.#tree.resolve(path, { followLast }), uid, gid, path);
  }

  chownPlace(place: Place, uid: number, gid: number, path: string): void {
    const writer = this.#attributeWriter(place, path);
    const { mode } = place.fileSystem.stat(place.inode);
    const permissions = mode & permissionBits;
    if (place.type !== 'directory') this.#dropCapabilities(place, path);
    const kept = place.type === 'directory' ? permissions : withoutSetId(permissions);
    this.#change(place, path, () =>
      writer.setAttributes(place.inode, { uid, gid, ...(kept === permissions ? {} : { permissions: kept }) }),
    );
  }

  /** As utimensat(2). What is left out stays. */
  setTimes(
    path: string,
    times: Pick<NewAttributes, 'accessed' | 'modified'>,
    { followLast = true } = {},
  ): void {
    this.setTimesOf(this.#tree.resolve(path, { followLast }), times, path);
  }

  setTimesOf(place: Place, times: Pick<NewAttributes, 'accessed' | 'modified'>, path: string): void {
    const writer = this.#attributeWriter(place, path);
    this.#change(place, path, () => writer.setAttributes(place.inode, times));
  }

  /** As setxattr(2) and removexattr(2), where `value` is undefined: ENODATA, EOPNOTSUPP, EPERM. */
  setXattr(path: string, name: string, value: Uint8Array | undefined, { followLast = true } = {}): void {
    this.setXattrOf(this.#tree.resolve(path, { followLast }), name, value, path);
  }

  setXattrOf(place: Place, name: string, value: Uint8Array | undefined, path: string): void {
    const what = `${path}: attribute '${name}'`;
    const refuse = (code: ErrnoName): GuestfsError => systemError(code, what, { path });
    if (name === '' || encodeText(name).length > attributeNameLimit) throw refuse('ERANGE');
    if (value !== undefined && value.length > attributeValueLimit) throw refuse('E2BIG');
    const isList = name === accessListName || name === defaultListName;
    if (!place.fileSystem.hasXattrs || !(isList || /^(?:user|trusted|security)\./.test(name)))
      throw refuse('EOPNOTSUPP');
    const writer = this.#attributeWriter(place, path);
    if (isList) return this.#setAccessList(writer, place, name, value, path);
    if (/^[a-z]+\.$/.test(name)) throw refuse('EINVAL');
    if (name.startsWith('user.') && place.type !== 'file' && place.type !== 'directory')
      throw refuse('EPERM');
    this.#change(place, path, () => writer.setXattr(place.inode, name, value));
  }

  /** The flags of `chattr`. ENOTTY where the filesystem has none. */
  setFlags(path: string, flags: number): void {
    const place = this.#tree.resolve(path);
    const writer = this.#writer(place, path);
    const { setFlags } = writer;
    if (setFlags === undefined) throw systemError('ENOTTY', path);
    this.#attempt(path, () => setFlags.call(writer, place.inode, flags));
  }

  /** The number that `chattr -v` sets. */
  setGeneration(path: string, generation: number): void {
    const place = this.#tree.resolve(path);
    const writer = this.#writer(place, path);
    const { setGeneration } = writer;
    if (setGeneration === undefined) throw systemError('ENOTTY', path);
    this.#attempt(path, () => setGeneration.call(writer, place.inode, generation));
  }

  // What all of these share

  /** The writer of the filesystem that a file is on: EROFS, or why there is none. */
  #writer({ mount, fileSystem }: Place, path: string): FileSystemWriter {
    if (mount.readonly) throw systemError('EROFS', path);
    const { writer, whyReadOnly } = fileSystem;
    if (writer !== undefined) return writer;
    const elsewhere = 'appliance';
    if (whyReadOnly instanceof UnsupportedError && whyReadOnly.elsewhere === undefined)
      throw new UnsupportedError(`${path}: ${whyReadOnly.structure}`, whyReadOnly.features, {
        path,
        elsewhere,
      });
    if (whyReadOnly !== undefined) throw (this.#context.refusal?.(mount) ?? whyReadOnly).within(path, path);
    throw new UnsupportedError(path, [`changing ${fileSystem.type} filesystems`], { path, elsewhere });
  }

  /** The writer for changing the entries of a directory. */
  #directoryWriter(directory: Place, path: string, allowed: 'append-only' | 'any'): FileSystemWriter {
    const writer = this.#writer(directory, path);
    this.#checkProtection(directory, path, allowed);
    return writer;
  }

  #attributeWriter(place: Place, path: string): FileSystemWriter {
    const writer = this.#writer(place, path);
    this.#checkProtection(place, path, 'any');
    return writer;
  }

  /** EPERM for what `chattr +i` forbids, and with `any` for what `+a` forbids. */
  #checkProtection({ fileSystem, inode }: Place, path: string, forbidden: 'append-only' | 'any'): void {
    const flags = fileSystem.attributeFlags?.(inode) ?? 0;
    if (flags & immutableFlag) throw systemError('EPERM', path, { remark: 'it is immutable' });
    if (forbidden === 'any' && flags & appendFlag)
      throw systemError('EPERM', path, { remark: 'it can only be appended to' });
  }

  /** Runs a change, which a driver does whole or not at all. An error of the driver's gets the path. */
  #attempt<T>(path: string, work: () => T): T {
    try {
      const result = work();
      this.#context.touch();
      return result;
    } catch (thrown) {
      if (thrown instanceof GuestfsError && thrown.path === undefined) throw thrown.within(path, path);
      throw thrown;
    }
  }

  /** The same for attributes of a file. */
  #change(place: Place, path: string, work: () => void): void {
    this.#attempt(path, work);
    this.#context.changed?.({ kind: 'attributes', place });
  }

  /** What becomes of a file that loses a name. */
  #fate(place: Place): { readonly place: Place; readonly isLast: boolean } {
    const isOneOfMany = (): boolean => place.fileSystem.stat(place.inode).linkCount > 1;
    const isAsked = this.#context.changed !== undefined && place.type !== 'directory';
    return { place, isLast: !(isAsked && isOneOfMany()) };
  }

  /** Where something new is to be made. */
  #newPosition(path: string, isDirectory: boolean): Position {
    const position = this.#tree.position(path);
    const { directory, name, last, hasSlash } = position;
    if (last !== 'name') throw systemError('EEXIST', path);
    if (isNameTooLong(name, directory.fileSystem.longestName)) throw systemError('ENAMETOOLONG', path);
    if (this.#tree.child(directory, name) !== undefined) throw systemError('EEXIST', path);
    if (hasSlash && !isDirectory) throw systemError('ENOENT', path);
    return position;
  }

  #make(writer: FileSystemWriter, directory: Place, name: string, what: NewFile, path: string): InodeNumber {
    const { type } = what;
    if (what.target !== undefined && isPathTooLong(what.target)) throw systemError('ENAMETOOLONG', path);
    const { fileSystem } = directory;
    const above = fileSystem.stat(directory.inode);
    const hasList = fileSystem.hasXattrs && type !== 'symlink';
    const list = hasList ? fileSystem.xattrs(directory.inode).get(defaultListName) : undefined;
    const asked = what.permissions & (type === 'directory' ? directoryBits : permissionBits);
    const { permissions, accessList } =
      type === 'symlink'
        ? { permissions: 0o777, accessList: undefined }
        : list === undefined
          ? { permissions: asked & ~this.#context.umask, accessList: undefined }
          : inherit(list, asked);
    const given = groupOf(above, type, permissions);
    const plain = { type, permissions: given.permissions, uid: 0, gid: given.gid };
    // Of most nothing more is known: to copy what is not there takes long.
    const isPlain = what.target === undefined && what.device === undefined && what.xattrs === undefined;
    const facts: NewInode = isPlain ? plain : { ...what, ...plain };
    if (list === undefined) return this.#attempt(path, () => writer.create(directory.inode, name, facts));
    const xattrs = new Map<string, Uint8Array>();
    if (accessList !== undefined) xattrs.set(accessListName, accessList);
    if (type === 'directory') xattrs.set(defaultListName, list);
    return this.#attempt(path, () =>
      writer.create(directory.inode, name, xattrs.size === 0 ? facts : { ...facts, xattrs }),
    );
  }

  /** What a directory holds under a name; ENOENT if nothing. */
  #child(directory: Place, name: string, path: string): Child {
    const child = this.#tree.child(directory, name);
    if (child === undefined) throw systemError('ENOENT', path);
    return child;
  }

  #remove(writer: FileSystemWriter, directory: Place, name: string, child: Child, path: string): void {
    if (directory.mount.covers.has(child.inode)) throw systemError('EBUSY', path);
    this.#checkProtection(directory, path, 'any');
    this.#checkProtection({ ...directory, ...child }, path, 'any');
    const { place, isLast } = this.#fate({ ...directory, ...child });
    this.#attempt(path, () => {
      if (child.type === 'directory') writer.rmdir(directory.inode, name);
      else writer.unlink(directory.inode, name);
    });
    this.#tree.forget(directory, name);
    this.#context.changed?.({ kind: 'removed', directory, name, place, isLast });
  }

  /** Refuses to put a directory into one that is in it, or that it is. */
  #checkNotInside(
    { fileSystem }: Place,
    moved: InodeNumber,
    target: Place,
    path: string,
    code: ErrnoName = 'EINVAL',
  ): void {
    let at = target.inode;
    for (let steps = 0; steps < mostAbove; steps++) {
      if (at === moved) throw systemError(code, path);
      if (at === fileSystem.root) return;
      at = fileSystem.parent(at);
    }
    throw systemError('ELOOP', path);
  }

  #checkFile(place: Place, path: string): void {
    if (place.type === 'directory') throw systemError('EISDIR', path);
    if (place.type !== 'file')
      throw new GuestfsError('EINVAL', `${path}: is a ${place.type}, not a regular file`, { path });
  }

  #contents(place: Place, path: string): OpenFile {
    const contents = this.#writer(place, path).contents(place.inode);
    const context = this.#context;
    const told = new ToldContents(contents, {
      wrote() {
        context.touch();
        context.changed?.({ kind: 'contents', place });
      },
      closed: () => context.changed?.({ kind: 'closed', place }),
    });
    return { place, contents: told };
  }

  /** A program whose contents or owner change loses the capabilities that it had. */
  #dropCapabilities(place: Place, path: string): void {
    const { fileSystem, inode } = place;
    if (!fileSystem.hasXattrs || !fileSystem.xattrs(inode).has(capabilityName)) return;
    const writer = this.#writer(place, path);
    this.#attempt(path, () => writer.setXattr(inode, capabilityName, undefined));
  }

  #setAccessList(
    writer: FileSystemWriter,
    place: Place,
    name: string,
    value: Uint8Array | undefined,
    path: string,
  ): void {
    const { fileSystem, inode, type } = place;
    if (type === 'symlink') throw systemError('EOPNOTSUPP', path);
    if (name === defaultListName && type !== 'directory') {
      // The kernel lets what is not there be removed.
      if (value === undefined) return;
      throw systemError('EACCES', path);
    }
    const before = fileSystem.stat(inode).mode & permissionBits;
    const { permissions, list } =
      value === undefined ? { permissions: before, list: undefined } : settle(name, value, before);
    const isStored = fileSystem.xattrs(inode).has(name);
    const xattrs = list !== undefined || isStored ? new Map([[name, list]]) : undefined;
    if (permissions === before && xattrs === undefined) return;
    this.#change(place, path, () =>
      writer.setAttributes(inode, {
        ...(permissions === before ? {} : { permissions }),
        ...(xattrs ? { xattrs } : {}),
      }),
    );
  }
}

/** What rmdir(2) says of paths that end in no name. */
const cannotRemove = { dot: 'EINVAL', 'dot-dot': 'ENOTEMPTY', root: 'EBUSY' } as const;

/** In a directory with the set-group-ID bit, what is made has the directory's group, and a directory the bit, too. */
function groupOf(
  above: InodeStat,
  type: NewInode['type'],
  permissions: number,
): { readonly gid: number; readonly permissions: number } {
  if ((above.mode & setGroupId) === 0) return { gid: 0, permissions };
  return { gid: above.gid, permissions: type === 'directory' ? permissions | setGroupId : permissions };
}

/** The permissions of a file that changes its owner. */
function withoutSetId(permissions: number): number {
  const kept = permissions & ~setUserId;
  return kept & groupExecute ? kept & ~setGroupId : kept;
}
