/**
 * Puts a tree of contents into a filesystem that was just made: as fast as its writer can, since nobody else sees it, and
 * always in the same order and with the times of the entries, so that the same tree gives the same bytes.
 */
import { GuestfsError, UnsupportedError } from '../base/index.js';
import type { FileSystem, FileSystemWriter, InodeNumber, Time } from '../fs/index.js';
import type { ContentFacts, ContentNode, ContentTree } from './content-tree.js';

const setIdBits = 0o6000;

interface FillOptions {
  /** The clock of the filesystem: what is done next gets this time. */
  readonly setClock: (time: Time) => void;
  /** Writes the contents of a file into a new, empty one, whose size is then set. */
  readonly copy: (node: ContentNode, path: string, into: ReturnType<FileSystemWriter['contents']>) => void;
  /** Told what an entry cannot have here. */
  readonly leaveOut: (path: string, attribute: string, why: GuestfsError) => void;
}

/** UnsupportedError where the filesystem cannot be written; ENOSPC. */
export function fillFileSystem(fileSystem: FileSystem, tree: ContentTree, options: FillOptions): void {
  const { writer, whyReadOnly } = fileSystem;
  if (writer === undefined)
    throw whyReadOnly ?? new UnsupportedError(`${fileSystem.type} filesystem`, ['changing it']);
  new Filler(fileSystem, writer, options).fill(tree);
}

class Filler {
  readonly #fileSystem: FileSystem;
  readonly #writer: FileSystemWriter;
  readonly #options: FillOptions;

  constructor(fileSystem: FileSystem, writer: FileSystemWriter, options: FillOptions) {
    this.#fileSystem = fileSystem;
    this.#writer = writer;
    this.#options = options;
  }

  fill(tree: ContentTree): void {
    const { root } = this.#fileSystem;
    const inodes = new Map<ContentNode, InodeNumber>([[tree.root, root]]);
    const directories: (readonly [ContentNode, InodeNumber, string])[] = [[tree.root, root, '/']];
    for (const { node, name, path, parent } of tree.entries()) {
      const directory = inodes.get(parent) as InodeNumber; // safe: a directory comes before what is in it
      this.#options.setClock(node.facts.modified);
      const known = inodes.get(node);
      if (known !== undefined) {
        this.#within(path, () => this.#writer.link(known, directory, name));
        continue;
      }
      const inode = this.#within(path, () => this.#make(node, directory, name, path));
      inodes.set(node, inode);
      if (node.children !== undefined) directories.push([node, inode, path]);
    }
    // Making something in a directory changes its times, and its mode may say what is made in it.
    for (const [{ facts }, inode, path] of directories) {
      const { permissions, uid, gid, modified } = facts;
      this.#options.setClock(modified);
      this.#within(path, () => {
        const times = { accessed: modified, modified };
        this.#writer.setAttributes(inode, { permissions, uid, gid, ...times });
        this.#addXattrs(facts, inode, path);
      });
    }
  }

  #make(node: ContentNode, directory: InodeNumber, name: string, path: string): InodeNumber {
    const { facts } = node;
    const { type, permissions } = facts;
    if (type === 'directory') {
      // A new filesystem has a `lost+found`.
      const present = this.#fileSystem.lookup(directory, name);
      return (
        present ?? this.#writer.create(directory, name, { ...facts, permissions: permissions & ~setIdBits })
      );
    }
    const inode = this.#writer.create(directory, name, facts);
    if (type === 'file') this.#writeContents(node, inode, path);
    this.#addXattrs(facts, inode, path);
    return inode;
  }

  #writeContents(node: ContentNode, inode: InodeNumber, path: string): void {
    const sizeInBytes = node.facts.contents?.sizeInBytes ?? 0;
    if (sizeInBytes === 0) return;
    const into = this.#writer.contents(inode);
    try {
      this.#options.copy(node, path, into);
      if (into.size < sizeInBytes) into.resize(sizeInBytes);
    } finally {
      into.close();
    }
  }

  #addXattrs({ xattrs }: ContentFacts, inode: InodeNumber, path: string): void {
    for (const [name, value] of xattrs)
      try {
        this.#writer.setXattr(inode, name, value);
      } catch (thrown) {
        if (!(thrown instanceof GuestfsError) || !['EPERM', 'EOPNOTSUPP', 'EACCES'].includes(thrown.code))
          throw thrown;
        this.#options.leaveOut(path, name, thrown);
      }
  }

  #within<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw thrown instanceof GuestfsError && thrown.path === undefined ? thrown.within(path, path) : thrown;
    }
  }
}
