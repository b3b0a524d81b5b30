/** A filesystem in memory, written down as a table of paths, for tests of what lies above the drivers. */
import { CorruptError, systemError } from '../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  FileType,
  InodeNumber,
  InodeStat,
} from '../../src/fs/index.js';

/** A link, an empty directory or a special file; a string or bytes are a regular file. */
export interface MemoryNode {
  readonly type: FileType;
  readonly target?: string;
  readonly permissions?: number;
}

export type MemoryFiles = Readonly<Record<string, string | Uint8Array | MemoryNode>>;

export const link = (target: string): MemoryNode => ({ type: 'symlink', target });
export const directory = (permissions = 0o755): MemoryNode => ({ type: 'directory', permissions });
export const special = (type: FileType): MemoryNode => ({ type });

interface Node {
  readonly type: FileType;
  readonly permissions: number;
  readonly children: Map<string, InodeNumber>;
  readonly parent: InodeNumber;
  readonly bytes: Uint8Array;
  readonly target: string;
}

const modes: Readonly<Record<FileType, number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
  unknown: 0,
};

export interface MemoryOptions {
  readonly type?: string;
  readonly caseInsensitive?: boolean;
  /** Whether directory entries hide the type, as old ext2 does. */
  readonly untyped?: boolean;
}

/** Builds the tree from its paths (without a leading slash); parents are made as needed. */
export class MemoryFileSystem implements FileSystem {
  readonly type: string;
  readonly root = 2;
  readonly caseInsensitive: boolean;
  readonly longestName = 255;
  readonly hasXattrs = true;
  /** How often the driver was asked, by method: for tests of caching. */
  readonly asked = { lookup: 0, stat: 0 };
  closed = 0;
  readonly #untyped: boolean;
  readonly #nodes = new Map<InodeNumber, Node>();
  #next = 3;

  constructor(files: MemoryFiles = {}, options: MemoryOptions = {}) {
    this.type = options.type ?? 'ext4';
    this.caseInsensitive = options.caseInsensitive ?? false;
    this.#untyped = options.untyped ?? false;
    this.#nodes.set(2, this.#node(2, { type: 'directory' }));
    for (const [path, content] of Object.entries(files)) this.add(path, content);
  }

  #node(parent: InodeNumber, content: string | Uint8Array | MemoryNode): Node {
    if (typeof content === 'string') return this.#node(parent, Buffer.from(content));
    const isFile = content instanceof Uint8Array;
    const type = isFile ? 'file' : content.type;
    return {
      type,
      permissions: isFile ? 0o644 : (content.permissions ?? 0o755),
      children: new Map(),
      parent,
      bytes: isFile ? content : new Uint8Array(),
      target: isFile ? '' : (content.target ?? ''),
    };
  }

  /** Adds a file and the directories above it. */
  add(path: string, content: string | Uint8Array | MemoryNode): InodeNumber {
    let at = this.root as InodeNumber;
    const names = path.split('/').filter((name) => name !== '');
    for (const [index, name] of names.entries()) {
      const last = index === names.length - 1;
      const known = this.get(at).children.get(name);
      if (known !== undefined && !(last && typeof content !== 'object')) {
        at = known;
        continue;
      }
      const inode = this.#next++;
      this.#nodes.set(inode, this.#node(at, last ? content : { type: 'directory' }));
      this.get(at).children.set(name, inode);
      at = inode;
    }
    return at;
  }

  /** Puts an inode under a second name: what no driver would do, but a hostile disk can. */
  addEntry(parent: InodeNumber, name: string, inode: InodeNumber): void {
    this.get(parent).children.set(name, inode);
  }

  get(inode: InodeNumber): Node {
    const node = this.#nodes.get(inode);
    if (node === undefined) throw new CorruptError('memory inode', 'does not exist', { inode });
    return node;
  }

  stat(inode: InodeNumber): InodeStat {
    this.asked.stat++;
    const node = this.get(inode);
    const time = { seconds: 1_000_000_000 + inode, nanoseconds: 0 };
    return {
      inode,
      mode: modes[node.type] | node.permissions,
      linkCount: 1,
      uid: 0,
      gid: 0,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes: node.type === 'symlink' ? node.target.length : node.bytes.length,
      blockCount512: Math.ceil(node.bytes.length / 512),
      accessed: time,
      modified: time,
      changed: time,
    };
  }

  lookup(parent: InodeNumber, name: string): InodeNumber | undefined {
    this.asked.lookup++;
    const { children } = this.get(parent);
    if (!this.caseInsensitive) return children.get(name);
    const wanted = name.toLowerCase();
    for (const [each, inode] of children) if (each.toLowerCase() === wanted) return inode;
    return undefined;
  }

  *entries(parent: InodeNumber): Iterable<DirectoryEntry> {
    for (const [name, inode] of this.get(parent).children) {
      yield { name, inode, type: this.#untyped ? 'unknown' : this.get(inode).type };
    }
  }

  parent(inode: InodeNumber): InodeNumber {
    return this.get(inode).parent;
  }

  readlink(inode: InodeNumber): string {
    return this.get(inode).target;
  }

  data(inode: InodeNumber): Disk {
    const { type, bytes } = this.get(inode);
    if (type !== 'file') throw systemError('EINVAL', `inode ${inode}`);
    return new MemoryDisk(bytes);
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return new Map();
  }

  usage(): FileSystemUsage {
    return {
      blockSize: 4096,
      fragmentSize: 4096,
      blocks: 1000,
      freeBlocks: 500,
      availableBlocks: 400,
      inodes: 100,
      freeInodes: 50,
      nameMax: 255,
      id: 7n,
    };
  }

  close(): void {
    this.closed++;
  }
}
