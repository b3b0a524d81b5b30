/**
 * A tar archive into a directory of the guest, by the rules of GNU tar for root: owners and modes are restored, what is
 * there is replaced, directories are merged. No name leads out of the directory, and no link that the archive brings is
 * followed to elsewhere. What cannot be unpacked is left out, the rest follows, and the first error is thrown at the end.
 */
import { CorruptError, GuestfsError, systemError, UnsupportedError } from '../../base/index.js';
import type { StoredMember } from '../../formats/index.js';
import { joinPath, type NewFile, type Place, type Tree, type TreeWriter } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import { parseAcl } from '../words/acl-text.js';
import { memberAccessLists, memberAttributes } from '../words/member-attributes.js';
import { DiskSink } from './disk-sink.js';
import { FirstFailure } from './first-failure.js';

/** A file that is unpacked: of an archive, or as one of an archive would be. */
export type UnpackedMember = Omit<StoredMember, 'parts'>;

interface UnpackOptions {
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly selinux: boolean;
  /** Whether a link to a directory stands for the directory. */
  readonly keepsDirectoryLinks: boolean;
}

const directoryMode = 0o777;
const ownerBits = 0o700;

/** Where a member goes. */
interface Target {
  readonly directory: Place;
  readonly name: string;
  readonly path: string;
}

interface DelayedLink extends Target {
  readonly member: UnpackedMember;
}

export function unpackTar(
  call: Call,
  writer: TreeWriter,
  members: Iterable<UnpackedMember>,
  directory: string,
  options: UnpackOptions,
): void {
  new TarUnpacker(call, writer, directory, options).run(members);
}

class TarUnpacker {
  readonly #call: Call;
  readonly #tree: Tree;
  readonly #writer: TreeWriter;
  readonly #root: Place;
  readonly #path: string;
  readonly #options: UnpackOptions;
  /** Directories get their times and modes when all is in them. */
  readonly #directories: { readonly place: Place; readonly member: UnpackedMember; readonly path: string }[] =
    [];
  /** Links that lead up or to the root are made last, by where they will be: so nothing is unpacked through them. */
  readonly #links = new Map<string, DelayedLink>();
  readonly #failures = new FirstFailure(isLast);
  #chowns = true;

  constructor(call: Call, writer: TreeWriter, directory: string, options: UnpackOptions) {
    this.#call = call;
    this.#tree = call.session.tree;
    this.#writer = writer;
    this.#path = directory;
    this.#options = options;
    this.#root = this.#tree.resolve(directory);
    if (this.#root.type !== 'directory') throw systemError('ENOTDIR', directory);
  }

  run(members: Iterable<UnpackedMember>): void {
    for (const member of members) {
      this.#call.checkpoint();
      this.#failures.attempt(() => this.#unpack(member));
    }
    for (const link of this.#links.values()) this.#failures.attempt(() => this.#makeLink(link, link.member));
    for (const { place, member, path } of this.#directories.reverse())
      this.#failures.attempt(() => this.#restore(place, member, path));
    this.#failures.end();
  }

  #unpack(member: UnpackedMember): void {
    const names = componentsOf(member.name);
    const last = names.pop();
    // The directory itself.
    if (last === undefined) {
      if (member.type === 'directory')
        this.#directories.push({ place: this.#root, member, path: this.#path });
      return;
    }
    const target = this.#locate(names, last);
    this.#links.delete(keyOf(target));
    if (member.type === 'directory') return this.#unpackDirectory(member, target);
    if (member.type === 'hardlink') return this.#unpackHardLink(member, target);
    if (member.type === 'symlink' && leadsAway(member.linkName)) {
      this.#clear(target);
      this.#links.set(keyOf(target), { ...target, member });
      return;
    }
    if (member.type === 'symlink') return this.#makeLink(target, member);
    this.#clear(target);
    const place = this.#make(target, newFile(member));
    if (member.type === 'file') this.#fill(place, member, target.path);
    this.#restore(place, member, target.path);
  }

  /** The directory of a member, whose missing ones are made. */
  #locate(names: readonly string[], name: string): Target {
    let directory = this.#root;
    let path = this.#path;
    for (const each of names) {
      if (this.#links.has(keyOf({ directory, name: each })))
        throw systemError('ENOTDIR', joinPath(path, each), {
          remark: 'the archive has it as a link to elsewhere',
        });
      const child = this.#tree.child(directory, each);
      const place = child && this.#tree.place(directory, child);
      const next: Place | undefined =
        place?.type === 'symlink' ? this.#tree.resolve(joinPath(path, each)) : place;
      path = joinPath(path, each);
      directory =
        next ??
        this.#writer.createIn(directory, each, { type: 'directory', permissions: directoryMode }, path);
      if (directory.type !== 'directory') throw systemError('ENOTDIR', path);
    }
    return { directory, name, path: joinPath(path, name) };
  }

  /** What has the name is removed; a directory only where it is empty. */
  #clear({ directory, name, path }: Target): void {
    if (this.#tree.child(directory, name) !== undefined) this.#writer.removeIn(directory, name, path);
  }

  #make({ directory, name, path }: Target, what: NewFile): Place {
    return this.#writer.createIn(directory, name, what, path);
  }

  #unpackDirectory(member: UnpackedMember, target: Target): void {
    const child = this.#tree.child(target.directory, target.name);
    let place = child && this.#tree.place(target.directory, child);
    if (place?.type === 'symlink') {
      const led = this.#tree.find(target.path);
      place = this.#options.keepsDirectoryLinks && led?.type === 'directory' ? led : undefined;
      if (place === undefined) this.#clear(target);
    } else if (place !== undefined && place.type !== 'directory') {
      this.#clear(target);
      place = undefined;
    }
    place ??= this.#make(target, { type: 'directory', permissions: ownerBits });
    this.#directories.push({ place, member, path: target.path });
  }

  #unpackHardLink(member: UnpackedMember, target: Target): void {
    const names = componentsOf(member.linkName);
    const last = names.pop();
    if (last === undefined) throw systemError('EPERM', target.path);
    const from = this.#locate(names, last);
    const delayed = this.#links.get(keyOf(from));
    if (delayed !== undefined) {
      this.#links.set(keyOf(target), { ...target, member: delayed.member });
      return;
    }
    const child = this.#tree.child(from.directory, from.name);
    if (child === undefined) throw systemError('ENOENT', from.path);
    const present = this.#tree.child(target.directory, target.name);
    if (present?.inode === child.inode) return;
    this.#clear(target);
    this.#writer.linkIn({ ...from.directory, ...child }, target.directory, target.name, target.path);
  }

  #makeLink(target: Target, member: UnpackedMember): void {
    if (member.linkName === '') throw systemError('ENOENT', target.path);
    this.#clear(target);
    const place = this.#make(target, {
      type: 'symlink',
      permissions: directoryMode,
      target: member.linkName,
    });
    this.#restore(place, member, target.path);
  }

  #fill(place: Place, member: UnpackedMember, path: string): void {
    const { contents } = this.#writer.openPlace(place, path);
    try {
      for (const { at, bytes } of member.contents()) {
        this.#call.checkpoint();
        new DiskSink(contents, { offset: at }).write(bytes);
      }
      if (contents.size < member.sizeInBytes) contents.resize(member.sizeInBytes);
    } finally {
      contents.close();
    }
  }

  #restore(place: Place, member: UnpackedMember, path: string): void {
    const writer = this.#writer;
    this.#restoreOwner(place, member, path);
    if (place.type !== 'symlink') writer.chmodPlace(place, member.mode, path);
    for (const [name, value] of memberAttributes(member, this.#options))
      this.#restoreAttribute(place, name, value, path);
    if (this.#options.acls)
      for (const [name, text] of memberAccessLists(member)) this.#restoreAccessList(place, name, text, path);
    writer.setTimesOf(place, { modified: member.modified }, path);
  }

  /** As libguestfs has it, a filesystem that keeps no owners is no error. */
  #restoreOwner(place: Place, { uid, gid }: UnpackedMember, path: string): void {
    if (!this.#chowns) return;
    try {
      this.#writer.chownPlace(place, uid, gid, path);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || thrown.code !== 'EPERM') throw thrown;
      this.#chowns = false;
    }
  }

  /** As in GNU tar, an attribute that the file cannot have is no error. */
  #restoreAttribute(place: Place, name: string, value: Uint8Array, path: string): void {
    try {
      this.#writer.setXattrOf(place, name, value, path);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || !['EPERM', 'EOPNOTSUPP'].includes(thrown.code)) throw thrown;
      this.#leaveOut(path, name, thrown);
    }
  }

  /** As in GNU tar, a list that names somebody nobody knows is no error. */
  #restoreAccessList(place: Place, name: string, text: string, path: string): void {
    let value: Uint8Array;
    try {
      value = parseAcl(text);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError)) throw thrown;
      return this.#leaveOut(path, name, thrown);
    }
    this.#restoreAttribute(place, name, value, path);
  }

  #leaveOut(path: string, name: string, { message }: GuestfsError): void {
    this.#call.session.warn(`${path}: unpacked without ${name}: ${message}`, 'attributes left out');
  }
}

/** Behind these nothing more can be unpacked: the archive, its filesystem or its disk is at an end. */
const isLast = (error: GuestfsError): boolean =>
  error instanceof CorruptError ||
  error instanceof UnsupportedError ||
  ['ENOSPC', 'EROFS', 'EIO'].includes(error.code);

const keyOf = ({ directory, name }: Pick<Target, 'directory' | 'name'>): string =>
  `${directory.mount.deviceNumber} ${directory.inode} ${name}`;

/** Whether a link's target could lead out of the directory that is unpacked to. */
const leadsAway = (target: string): boolean => target.startsWith('/') || target.split('/').includes('..');

/** The components of a member's name below the directory. EPERM for one with `..`. */
function componentsOf(name: string): string[] {
  const names = name.split('/').filter((each) => each !== '' && each !== '.');
  if (names.includes('..')) throw new GuestfsError('EPERM', `${name}: a name with .. in it is not unpacked`);
  if (name.includes('\0')) throw new GuestfsError('EINVAL', `${JSON.stringify(name)}: a name with a NUL`);
  return names;
}

function newFile({ type, mode, deviceMajor, deviceMinor }: UnpackedMember): NewFile {
  const permissions = mode & ownerBits;
  if (type === 'character' || type === 'block')
    return { type, permissions, device: [deviceMajor, deviceMinor] };
  return { type: type === 'fifo' ? 'fifo' : 'file', permissions };
}
