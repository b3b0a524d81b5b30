/**
 * A filesystem in memory that can be written, as a driver's writer promises it: for tests of what lies above the
 * drivers. It has links, attributes, a limit of space, and inodes that stay while their contents are open.
 */
import { CorruptError, modeTypes, systemError, typeOfMode } from '../../src/base/index.js';
import {
  type Disk,
  type GrowableDisk,
  MemoryDisk,
  type Span,
  type ZeroOptions,
} from '../../src/disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  FileSystemWriter,
  InodeNumber,
  InodeStat,
  NewAttributes,
  NewInode,
  Time,
} from '../../src/fs/index.js';

interface Node {
  readonly inode: InodeNumber;
  readonly type: NewInode['type'];
  permissions: number;
  uid: number;
  gid: number;
  readonly target: string;
  readonly device: readonly [major: number, minor: number];
  readonly children: Map<string, InodeNumber>;
  parent: InodeNumber;
  links: number;
  holders: number;
  readonly disk: MemoryDisk;
  readonly xattrs: Map<string, Uint8Array>;
  flags: number;
  generation: number;
  accessed: Time;
  modified: Time;
  changed: Time;
}

interface WritableOptions {
  /** All bytes of all files. Default 64 MiB. */
  readonly capacityInBytes?: number;
  readonly type?: string;
  readonly caseInsensitive?: boolean;
  readonly hasXattrs?: boolean;
}

const blockSize = 1024;

/** What a driver of such a disk would keep in memory, and its writer. */
export class WritableFileSystem implements FileSystem, FileSystemWriter {
  readonly type: string;
  readonly root = 2;
  readonly caseInsensitive: boolean;
  readonly longestName = 255;
  readonly hasXattrs: boolean;
  readonly writer: FileSystemWriter | undefined = this;
  /** How often it was told to make durable what was done, and whether it is open. */
  syncs = 0;
  closed = 0;
  /** Seconds of its clock, which ticks once for each change. */
  clock = 1_000_000_000;
  readonly #capacity: number;
  #used = 0;
  readonly #nodes = new Map<InodeNumber, Node>();
  #next = 2;

  constructor(options: WritableOptions = {}) {
    this.type = options.type ?? 'ext4';
    this.caseInsensitive = options.caseInsensitive ?? false;
    this.hasXattrs = options.hasXattrs ?? true;
    this.#capacity = options.capacityInBytes ?? 64 * 2 ** 20;
    this.#make({ type: 'directory', permissions: 0o755, uid: 0, gid: 0 }, 2).links = 2;
  }

  #now(): Time {
    return { seconds: ++this.clock, nanoseconds: 0 };
  }

  #make(what: NewInode, parent: InodeNumber): Node {
    const time = this.#now();
    const { type, permissions, uid, gid, target = '', device = [0, 0] } = what;
    const node: Node = {
      inode: this.#next++,
      ...{ type, permissions, uid, gid, target, device, parent },
      children: new Map(),
      links: 0,
      holders: 0,
      disk: new MemoryDisk(new Uint8Array(), { writable: true }),
      xattrs: new Map(),
      flags: 0,
      generation: 0,
      accessed: time,
      modified: time,
      changed: time,
    };
    this.#nodes.set(node.inode, node);
    return node;
  }

  /** Files whose inodes there are, also those without a name. */
  get inodeCount(): number {
    return this.#nodes.size;
  }

  get(inode: InodeNumber): Node {
    const node = this.#nodes.get(inode);
    if (node === undefined) throw new CorruptError('memory inode', 'does not exist', { inode });
    return node;
  }

  stat(inode: InodeNumber): InodeStat {
    const node = this.get(inode);
    const size = node.type === 'symlink' ? Buffer.byteLength(node.target) : node.disk.size;
    return {
      inode,
      mode: modeTypes[node.type] | node.permissions,
      linkCount: node.links,
      uid: node.uid,
      gid: node.gid,
      deviceMajor: node.device[0],
      deviceMinor: node.device[1],
      sizeInBytes: node.type === 'directory' ? blockSize : size,
      blockCount512: Math.ceil(size / blockSize) * (blockSize / 512),
      accessed: node.accessed,
      modified: node.modified,
      changed: node.changed,
    };
  }

  #nameIn(directory: InodeNumber, name: string): string | undefined {
    const { children } = this.get(directory);
    if (!this.caseInsensitive) return children.has(name) ? name : undefined;
    return [...children.keys()].find((each) => each.toLowerCase() === name.toLowerCase());
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const found = this.#nameIn(directory, name);
    return found === undefined ? undefined : this.get(directory).children.get(found);
  }

  *entries(directory: InodeNumber): Iterable<DirectoryEntry> {
    // As they were when the pass began: names may be removed meanwhile.
    for (const [name, inode] of [...this.get(directory).children]) {
      if (this.#nodes.has(inode)) yield { name, inode, type: this.get(inode).type };
    }
  }

  parent(directory: InodeNumber): InodeNumber {
    return this.get(directory).parent;
  }

  readlink(inode: InodeNumber): string {
    return this.get(inode).target;
  }

  data(inode: InodeNumber): Disk {
    return this.#contents(this.get(inode));
  }

  xattrs(inode: InodeNumber): ReadonlyMap<string, Uint8Array> {
    return this.get(inode).xattrs;
  }

  attributeFlags(inode: InodeNumber): number {
    return this.get(inode).flags;
  }

  usage(): FileSystemUsage {
    const [blocks, free] = [this.#capacity, this.#capacity - this.#used].map((bytes) =>
      Math.floor(bytes / blockSize),
    ) as [number, number];
    return {
      blockSize,
      fragmentSize: blockSize,
      blocks,
      freeBlocks: free,
      availableBlocks: free,
      inodes: 1000,
      freeInodes: 1000 - this.#nodes.size,
      nameMax: 255,
      id: 7n,
    };
  }

  create(directory: InodeNumber, name: string, what: NewInode): InodeNumber {
    const above = this.get(directory);
    if (this.#nameIn(directory, name) !== undefined) throw systemError('EEXIST', name);
    const node = this.#make(what, directory);
    for (const [key, value] of what.xattrs ?? []) node.xattrs.set(key, value.slice());
    node.links = what.type === 'directory' ? 2 : 1;
    if (what.type === 'directory') above.links++;
    this.#enter(above, name, node);
    return node.inode;
  }

  #enter(above: Node, name: string, node: Node): void {
    above.children.set(name, node.inode);
    above.modified = above.changed = this.#now();
  }

  link(inode: InodeNumber, directory: InodeNumber, name: string): void {
    if (this.#nameIn(directory, name) !== undefined) throw systemError('EEXIST', name);
    const node = this.get(inode);
    node.links++;
    node.changed = this.#now();
    this.#enter(this.get(directory), name, node);
  }

  unlink(directory: InodeNumber, name: string): void {
    const inode = this.lookup(directory, name);
    if (inode === undefined) throw systemError('ENOENT', name);
    this.#drop(this.get(directory), name, this.get(inode));
  }

  #drop(above: Node, name: string, node: Node): void {
    above.children.delete(this.#nameIn(above.inode, name) ?? name);
    above.modified = above.changed = this.#now();
    node.links--;
    node.changed = this.#now();
    this.#forgetIfUnused(node);
  }

  #forgetIfUnused(node: Node): void {
    if (node.links > 0 || node.holders > 0 || !this.#nodes.delete(node.inode)) return;
    this.#used -= node.disk.size;
  }

  rmdir(directory: InodeNumber, name: string): void {
    const inode = this.lookup(directory, name);
    if (inode === undefined) throw systemError('ENOENT', name);
    const node = this.get(inode);
    if (node.type !== 'directory') throw systemError('ENOTDIR', name);
    if (node.children.size > 0) throw systemError('ENOTEMPTY', name);
    const above = this.get(directory);
    above.links--;
    node.links = 1;
    this.#drop(above, name, node);
  }

  rename(from: InodeNumber, name: string, to: InodeNumber, newName: string): void {
    const inode = this.lookup(from, name);
    if (inode === undefined) throw systemError('ENOENT', name);
    const node = this.get(inode);
    const replaced = this.lookup(to, newName);
    if (replaced === inode && this.#nameIn(to, newName) === newName) return;
    if (replaced !== undefined && replaced !== inode) {
      if (this.get(replaced).type === 'directory') this.rmdir(to, newName);
      else this.unlink(to, newName);
    }
    const above = this.get(from);
    above.children.delete(this.#nameIn(from, name) ?? name);
    above.modified = above.changed = this.#now();
    if (node.type === 'directory') {
      above.links--;
      this.get(to).links++;
      node.parent = to;
    }
    node.changed = this.#now();
    this.#enter(this.get(to), newName, node);
  }

  setAttributes(inode: InodeNumber, { xattrs, ...attributes }: NewAttributes): void {
    const node = this.get(inode);
    Object.assign(node, attributes, { changed: this.#now() });
    for (const [name, value] of xattrs ?? []) this.setXattr(inode, name, value);
  }

  setXattr(inode: InodeNumber, name: string, value: Uint8Array | undefined): void {
    const node = this.get(inode);
    if (value === undefined) {
      if (!node.xattrs.delete(name)) throw systemError('ENODATA', name);
    } else node.xattrs.set(name, value.slice());
    node.changed = this.#now();
  }

  contents(inode: InodeNumber): GrowableDisk {
    const node = this.get(inode);
    node.holders++;
    let open = true;
    return this.#contents(node, () => {
      if (!open) return;
      open = false;
      node.holders--;
      this.#forgetIfUnused(node);
    });
  }

  /** The bytes of a file: what is written past the end makes it longer. */
  #contents(node: Node, close = (): void => {}): GrowableDisk {
    const grow = (size: number): void => {
      const more = size - node.disk.size;
      if (this.#used + more > this.#capacity) throw systemError('ENOSPC', 'memory');
      this.#used += more;
      node.disk.resize(size);
    };
    const changed = (): void => {
      node.modified = node.changed = this.#now();
    };
    const past = (end: number): void => {
      if (end > node.disk.size) grow(end);
      changed();
    };
    return {
      get size() {
        return node.disk.size;
      },
      sectorSize: 512,
      writable: true,
      read: (into, offset) => node.disk.read(into, offset),
      checkWritable: () => {},
      write(from, offset) {
        past(offset + from.length);
        node.disk.write(from, offset);
      },
      zero(offset: number, length: number, _options?: ZeroOptions) {
        past(offset + length);
        node.disk.zero(offset, length);
      },
      span: (_offset, length): Span => ({ length, hole: false }),
      resize(size) {
        grow(size);
        changed();
      },
      flush: () => {},
      close,
    };
  }

  allocate(inode: InodeNumber, offset: number, length: number): void {
    const disk = this.#contents(this.get(inode));
    if (offset + length > disk.size) disk.resize(offset + length);
  }

  setFlags(inode: InodeNumber, flags: number): void {
    this.get(inode).flags = flags;
  }

  setGeneration(inode: InodeNumber, generation: number): void {
    this.get(inode).generation = generation;
  }

  sync(): void {
    this.syncs++;
  }

  close(): void {
    this.closed++;
  }
}

/** The tree of such a filesystem as text, for comparing: a line for each file, by path. */
export function listing(fileSystem: WritableFileSystem): string[] {
  const lines: string[] = [];
  const walk = (inode: InodeNumber, path: string): void => {
    for (const { name, inode: child } of fileSystem.entries(inode)) {
      const { mode, uid, gid, linkCount } = fileSystem.stat(child);
      const type = typeOfMode(mode);
      const node = fileSystem.get(child);
      const contents = new Uint8Array(type === 'file' ? node.disk.size : 0);
      node.disk.read(contents, 0);
      const tail =
        type === 'symlink' ? ` -> ${node.target}` : type === 'file' ? ` "${Buffer.from(contents)}"` : '';
      lines.push(`${path}/${name} ${mode.toString(8)} ${uid}:${gid} ${linkCount}${tail}`);
      if (type === 'directory') walk(child, `${path}/${name}`);
    }
  };
  walk(fileSystem.root, '');
  return lines.sort();
}
