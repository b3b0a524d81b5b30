/**
 * Puts a tree of contents into a filesystem that was just made: as fast as its writer can, since nobody else sees it, and
 * always in the same order and with the times of the entries, so that the same tree gives the same bytes.
 */
import { GuestfsError, UnsupportedError } from '../base/index.js';
import type { FileSystem, FileSystemWriter, InodeNumber, Time } from '../fs/index.js';
import type { ContentEntry, ContentFacts, ContentNode, ContentTree } from './content-tree.js';

const setIdBits = 0o6000;
/** Entries that are made in one change of the filesystem, where it can. */
const atOnce = 64;

/** What has a path. */
type Named = Pick<ContentEntry, 'node' | 'path'>;

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
  readonly #inodes = new Map<ContentNode, InodeNumber>();
  /** Those of the change that runs. */
  #made: ContentNode[] = [];

  constructor(fileSystem: FileSystem, writer: FileSystemWriter, options: FillOptions) {
    this.#fileSystem = fileSystem;
    this.#writer = writer;
    this.#options = options;
  }

  fill(tree: ContentTree): void {
    const { root } = this.#fileSystem;
    this.#inodes.set(tree.root, root);
    const directories: Named[] = [{ node: tree.root, path: '/' }];
    this.#inParts(tree.entries(), (entry) => this.#add(entry), directories);
    // Making something in a directory changes its times, and its mode may say what is made in it.
    this.#inParts(directories, (directory) => this.#restore(directory));
  }

  /** Does the same with many, as many at once as make one change. `directories` gets those that are such. */
  #inParts<T extends Named>(all: Iterable<T>, work: (one: T) => void, directories: Named[] = []): void {
    let part: T[] = [];
    const run = (): void => {
      // Where it runs again, what it had made is undone.
      for (const node of this.#made) this.#inodes.delete(node);
      this.#made = [];
      for (const one of part) this.#within(one.path, () => work(one));
    };
    const end = (): void => {
      if (this.#writer.together === undefined) run();
      else this.#writer.together(run);
      for (const one of part) if (one.node.children !== undefined) directories.push(one);
      part = [];
      this.#made = [];
    };
    for (const one of all) if (part.push(one) === atOnce) end();
    end();
  }

  #add({ node, name, path, parent }: ContentEntry): void {
    const directory = this.#inodes.get(parent) as InodeNumber; // safe: a directory comes before what is in it
    this.#options.setClock(node.facts.modified);
    const known = this.#inodes.get(node);
    if (known !== undefined) return this.#writer.link(known, directory, name);
    this.#inodes.set(node, this.#make(node, directory, name, path));
    this.#made.push(node);
  }

  #restore({ node, path }: Named): void {
    const inode = this.#inodes.get(node) as InodeNumber; // safe: all of the tree was made
    const { permissions, uid, gid, modified } = node.facts;
    this.#options.setClock(modified);
    this.#writer.setAttributes(inode, { permissions, uid, gid, accessed: modified, modified });
    this.#addXattrs(node.facts, inode, path);
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
