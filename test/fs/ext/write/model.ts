/**
 * Random operations on a filesystem and on a plain model of one in memory, compared as wholes. The seed gives the same
 * operations again.
 */
import assert from 'node:assert/strict';
import { GuestfsError } from '../../../../src/base/index.js';
import { MemoryDisk } from '../../../../src/disk/index.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import { noise, Random } from '../../../support/random.js';
import { openExt } from '../fixture.js';

type Kind = 'file' | 'directory' | 'symlink' | 'block' | 'character' | 'fifo' | 'socket';

interface Node {
  readonly inode: number;
  readonly kind: Kind;
  permissions: number;
  uid: number;
  gid: number;
  data: Uint8Array;
  readonly target: string;
  readonly device: readonly [number, number];
  readonly xattrs: Map<string, Uint8Array>;
  readonly entries: Map<string, Node>;
  parent: Node | undefined;
  links: number;
}

const noiseBytes = noise(65_521);
/** Errors that an operation may end with, having done nothing. */
const expected = new Set([
  'ENOSPC',
  'EEXIST',
  'ENOTEMPTY',
  'EISDIR',
  'ENOTDIR',
  'EINVAL',
  'ENODATA',
  'EMLINK',
]);
/** The most bytes of all files of a model. */
const dataLimit = 24 * 1024 * 1024;

export interface ModelOptions {
  /** Bytes of a write, at most. */
  readonly mostBytes?: number;
}

export class ModelTest {
  readonly disk: MemoryDisk;
  readonly #bytes: Uint8Array;
  readonly #random: Random;
  readonly #mostBytes: number;
  readonly #lost: string[] = [];
  #fs: FileSystem;
  #root: Node;
  #directories: Node[];
  #files: Node[] = [];
  #others: Node[] = [];
  #time = 1_700_000_000;
  #names = 0;
  #dataSize = 0;
  #done = 0;

  constructor(bytes: Uint8Array, seed: number, { mostBytes = 20_000 }: ModelOptions = {}) {
    this.#bytes = bytes;
    this.disk = new MemoryDisk(bytes, { writable: true });
    this.#random = new Random(seed);
    this.#mostBytes = mostBytes;
    this.#fs = this.#open();
    this.#root = this.#nodeOf(this.#fs.root, 'directory', {});
    this.#root.permissions = this.#fs.stat(this.#fs.root).mode & 0o7777;
    this.#root.links = 2;
    for (const { name, inode } of this.#fs.entries(this.#fs.root)) {
      const node = this.#nodeOf(inode, 'directory', {});
      node.permissions = this.#fs.stat(inode).mode & 0o7777;
      node.links = 2;
      node.parent = this.#root;
      this.#root.links++;
      this.#root.entries.set(name, node);
      this.#lost.push(name);
    }
    this.#directories = [this.#root];
  }

  get fs(): FileSystem {
    return this.#fs;
  }

  get image(): Uint8Array {
    return this.#bytes;
  }

  /** Does so many operations. How many changed something. */
  run(count: number): number {
    for (let i = 0; i < count; i++) this.#step();
    return this.#done;
  }

  reopen(): void {
    this.#fs.close();
    this.#fs = this.#open();
  }

  close(): void {
    this.#fs.close();
  }

  #open(): FileSystem {
    return openExt(this.disk, {
      readonly: false,
      now: () => ({ seconds: ++this.#time, nanoseconds: (this.#time * 7919) % 1_000_000_000 }),
      warn: (message) => assert.fail(message),
    });
  }

  get #writer(): NonNullable<FileSystem['writer']> {
    return this.#fs.writer ?? assert.fail(String(this.#fs.whyReadOnly));
  }

  #step(): void {
    const choice = this.#random.below(100);
    try {
      const rare = this.#random.below(150);
      if (rare === 0) this.#crowd();
      else if (rare === 1) this.#scatter();
      else if (choice < 22) this.#create();
      else if (choice < 28) this.#link();
      else if (choice < 38) this.#remove();
      else if (choice < 46) this.#rename();
      else if (choice < 51) this.#attributes();
      else if (choice < 60) this.#xattr();
      else this.#contents(choice);
      this.#done++;
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || !expected.has(thrown.code)) throw thrown;
    }
  }

  /** Bytes out of one long run of them. */
  #noise(length: number): Uint8Array {
    const from = this.#random.below(noiseBytes.length);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const start = at === 0 ? from : 0;
      const piece = noiseBytes.subarray(start, start + length - at);
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  #name(): string {
    const number = this.#names++;
    const length = this.#random.below(20) === 0 ? this.#random.below(200) : this.#random.below(16);
    return `${number.toString(36)}${'-ä'.repeat(length / 3)}${'x'.repeat(length % 3)}`;
  }

  #nodeOf(inode: number, kind: Kind, more: Partial<Node>): Node {
    return {
      inode,
      kind,
      permissions: 0,
      uid: 0,
      gid: 0,
      data: new Uint8Array(0),
      target: '',
      device: [0, 0],
      xattrs: new Map(),
      entries: new Map(),
      parent: undefined,
      links: kind === 'directory' ? 2 : 1,
      ...more,
    };
  }

  #directory(): Node {
    // The root gets many names, so that its index grows.
    return this.#random.below(3) === 0 ? this.#root : this.#random.pick(this.#directories);
  }

  #create(): void {
    const directory = this.#directory();
    const kind = this.#random.pick<Kind>([
      'file',
      'file',
      'file',
      'file',
      'file',
      'directory',
      'directory',
      'symlink',
      'symlink',
      'block',
      'character',
      'fifo',
      'socket',
    ]);
    const exists = this.#random.below(30) === 0 && directory.entries.size > 0;
    const name = exists ? this.#random.pick([...directory.entries.keys()]) : this.#name();
    const permissions = this.#random.below(0o1000);
    const [uid, gid] = [this.#random.below(200_000), this.#random.below(70_000)];
    const longest = this.#random.below(3) === 0 ? 900 : 80;
    const target = kind === 'symlink' ? 't'.repeat(1 + this.#random.below(longest)) : '';
    const device: [number, number] =
      kind === 'block' || kind === 'character'
        ? [this.#random.below(4000), this.#random.below(1_000_000)]
        : [0, 0];
    const inode = this.#writer.create(directory.inode, name, {
      type: kind,
      permissions,
      uid,
      gid,
      ...(kind === 'symlink' ? { target } : {}),
      ...(kind === 'block' || kind === 'character' ? { device } : {}),
    });
    assert.ok(!directory.entries.has(name), `${name} was made twice`);
    const node = this.#nodeOf(inode, kind, { permissions, uid, gid, target, device });
    directory.entries.set(name, node);
    if (kind === 'directory') {
      node.parent = directory;
      directory.links++;
      this.#directories.push(node);
    } else (kind === 'file' ? this.#files : this.#others).push(node);
  }

  /** Many names in one directory, so that its index grows. */
  #crowd(): void {
    const directory = this.#directory();
    const count = this.#random.below(300);
    const long = this.#random.below(2) * 200;
    for (let i = 0; i < count; i++) {
      const name = `${this.#names++}-${'n'.repeat(this.#random.below(long + 20))}`;
      const facts = { permissions: 0o600, uid: 1, gid: 2 };
      const node = this.#random.below(3) === 0 ? undefined : this.#files.at(-1);
      if (node !== undefined && node.links < 60_000) {
        this.#writer.link(node.inode, directory.inode, name);
        node.links++;
        directory.entries.set(name, node);
        continue;
      }
      const made = this.#nodeOf(
        this.#writer.create(directory.inode, name, { type: 'fifo', ...facts }),
        'fifo',
        facts,
      );
      directory.entries.set(name, made);
      this.#others.push(made);
    }
  }

  /** A file of many extents: every other block, in any order. */
  #scatter(): void {
    const node = this.#files.at(-1);
    const { blockSize } = this.#fs.usage();
    const count = this.#random.below(500);
    if (node === undefined || this.#dataSize + count * 2 * blockSize > dataLimit) return;
    const contents = this.#writer.contents(node.inode);
    const order = Array.from({ length: count }, (_, index) => index * 2).sort(
      () => this.#random.next() - 0.5,
    );
    for (const block of order) {
      const bytes = this.#noise(3);
      contents.write(bytes, block * blockSize);
      const end = block * blockSize + bytes.length;
      if (end > node.data.length) this.#setSize(node, end);
      node.data.set(bytes, end - bytes.length);
    }
    contents.close();
  }

  #link(): void {
    const node = this.#random.pick([...this.#files.slice(-20), ...this.#others.slice(-5)]);
    if (node === undefined) return;
    const directory = this.#directory();
    const name = this.#name();
    this.#writer.link(node.inode, directory.inode, name);
    directory.entries.set(name, node);
    node.links++;
  }

  #entry(directory: Node): string | undefined {
    const names = [...directory.entries.keys()].filter(
      (name) => !(directory === this.#root && this.#lost.includes(name)),
    );
    return names.length === 0 ? undefined : this.#random.pick(names);
  }

  #remove(): void {
    const directory = this.#random.pick(this.#directories);
    const name = this.#entry(directory);
    if (name === undefined) return;
    const node = directory.entries.get(name) ?? assert.fail();
    const held =
      node.kind === 'file' && node.links === 1 && this.#random.below(4) === 0
        ? this.#writer.contents(node.inode)
        : undefined;
    if (node.kind === 'directory' && this.#random.below(10) > 0) {
      this.#writer.rmdir(directory.inode, name);
      assert.equal(node.entries.size, 0, 'a directory that is not empty was removed');
    } else {
      this.#writer.unlink(directory.inode, name);
      assert.notEqual(node.kind, 'directory');
    }
    directory.entries.delete(name);
    this.#dropped(node, directory);
    if (held === undefined) return;
    // It is there as long as it is held.
    const bytes = this.#noise(100);
    held.write(bytes, 50);
    const read = new Uint8Array(100);
    held.read(read, 50);
    assert.deepEqual(read, bytes);
    held.close();
  }

  #dropped(node: Node, directory: Node): void {
    const without = (list: Node[]): Node[] => list.filter((other) => other !== node);
    if (node.kind === 'directory') {
      directory.links--;
      this.#directories = without(this.#directories);
      return;
    }
    node.links--;
    if (node.links > 0) return;
    this.#dataSize -= node.data.length;
    if (node.kind === 'file') this.#files = without(this.#files);
    else this.#others = without(this.#others);
  }

  #rename(): void {
    const from = this.#random.pick(this.#directories);
    const name = this.#entry(from);
    if (name === undefined) return;
    const node = from.entries.get(name) ?? assert.fail();
    const to = this.#random.below(3) === 0 ? from : this.#directory();
    const over = this.#random.below(3) === 0 ? this.#entry(to) : undefined;
    const newName = over ?? this.#name();
    this.#writer.rename(from.inode, name, to.inode, newName);
    const old = to.entries.get(newName);
    if (old === node) return; // two names of one file: nothing happens
    for (let at: Node | undefined = to; at !== undefined; at = at.parent)
      assert.notEqual(at, node, 'moved into itself');
    if (old !== undefined) {
      assert.equal(old.kind === 'directory', node.kind === 'directory');
      assert.equal(old.entries.size, 0);
      this.#dropped(old, to);
    }
    from.entries.delete(name);
    to.entries.set(newName, node);
    if (node.kind !== 'directory') return;
    node.parent = to;
    from.links--;
    to.links++;
  }

  #any(): Node {
    return this.#random.pick([
      this.#random.pick(this.#directories),
      ...this.#files.slice(-15),
      ...this.#others.slice(-3),
    ]);
  }

  #attributes(): void {
    const node = this.#any();
    const permissions = this.#random.below(0o1000);
    const uid = this.#random.below(100_000);
    const seconds = this.#random.below(4) === 0 ? 4_000_000_000 : this.#random.below(2 ** 31);
    const modified = { seconds, nanoseconds: this.#random.below(1e9) };
    this.#writer.setAttributes(node.inode, { permissions, uid, modified });
    Object.assign(node, { permissions, uid });
    const read = this.#fs.stat(node.inode).modified;
    if (read.nanoseconds > 0 || seconds < 2 ** 31) assert.equal(read.seconds, seconds);
    assert.ok([0, modified.nanoseconds].includes(read.nanoseconds));
  }

  #xattr(): void {
    const node = this.#any();
    const space =
      node.kind === 'file' || node.kind === 'directory'
        ? this.#random.pick(['user.', 'trusted.', 'security.'])
        : 'trusted.';
    const name = `${space}${this.#random.pick(['a', 'bb', 'ccc', 'a longer name of an attribute'])}`;
    const most = this.#random.pick([10, 10, 60, 300, 2000]);
    const value = this.#random.below(3) === 0 ? undefined : this.#noise(this.#random.below(most));
    this.#writer.setXattr(node.inode, name, value);
    if (value === undefined) {
      assert.ok(node.xattrs.delete(name));
    } else node.xattrs.set(name, value);
  }

  #contents(choice: number): void {
    if (this.#files.length === 0) return;
    const node =
      this.#random.below(3) === 0
        ? this.#random.pick(this.#files)
        : (this.#files.at(-1 - this.#random.below(Math.min(6, this.#files.length))) ?? assert.fail());
    const size = node.data.length;
    const contents = this.#writer.contents(node.inode);
    try {
      if (choice < 72) {
        this.#write(node, contents, size);
      } else if (choice < 84) {
        const far = this.#random.below(6) === 0 ? this.#random.below(400_000) : 0;
        this.#write(node, contents, this.#random.below(size + 2000) + far);
      } else if (choice < 89) {
        const length = this.#random.below(size + (this.#random.below(4) === 0 ? 50_000 : 1000));
        contents.resize(length);
        this.#setSize(node, length);
      } else if (choice < 95) {
        const offset = this.#random.below(size + 1);
        const length =
          this.#random.below(size - offset + 1) + this.#random.below(2) * this.#random.below(3000);
        contents.zero(offset, length, { discard: this.#random.below(3) > 0 });
        if (offset + length > size && length > 0) this.#setSize(node, offset + length);
        node.data.fill(0, offset, offset + length);
      } else {
        const offset = this.#random.below(size + 1);
        const length = this.#random.below(30_000);
        this.#writer.allocate(node.inode, offset, length);
        if (offset + length > size && length > 0) this.#setSize(node, offset + length);
      }
    } finally {
      contents.close();
    }
  }

  #write(node: Node, contents: { write(from: Uint8Array, offset: number): void }, offset: number): void {
    const most = this.#random.below(4) === 0 ? this.#mostBytes : 300;
    const bytes = this.#noise(this.#random.below(most));
    if (this.#dataSize + bytes.length + Math.max(0, offset - node.data.length) > dataLimit) return;
    contents.write(bytes, offset);
    if (bytes.length === 0) return;
    if (offset + bytes.length > node.data.length) this.#setSize(node, offset + bytes.length);
    node.data.set(bytes, offset);
  }

  #setSize(node: Node, size: number): void {
    this.#dataSize += size - node.data.length;
    const data = new Uint8Array(size);
    data.set(node.data.subarray(0, size));
    node.data = data;
  }

  /** Compares all that there is. */
  compare(what: string): void {
    const seen = new Set<Node>();
    const waiting: [Node, string][] = [[this.#root, '']];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [node, path] = next;
      if (seen.has(node)) continue;
      seen.add(node);
      this.#compareNode(node, `${what}: ${path === '' ? '/' : path}`);
      for (const [name, below] of node.entries) waiting.push([below, `${path}/${name}`]);
    }
  }

  #compareNode(node: Node, what: string): void {
    const fs = this.#fs;
    const stat = fs.stat(node.inode);
    const told = { permissions: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, links: stat.linkCount };
    const { permissions, uid, gid, links } = node;
    assert.deepEqual(told, { permissions, uid, gid, links }, what);
    const xattrs = [...fs.xattrs(node.inode)].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(
      xattrs.map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
      [...node.xattrs]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
      what,
    );
    if (node.kind === 'directory') {
      const listed = Array.from(fs.entries(node.inode), ({ name, inode }) => `${name} ${inode}`).sort();
      assert.deepEqual(
        listed,
        Array.from(node.entries, ([name, { inode }]) => `${name} ${inode}`).sort(),
        what,
      );
      for (const [name, { inode }] of node.entries)
        assert.equal(fs.lookup(node.inode, name), inode, `${what}: ${name}`);
      assert.equal(fs.lookup(node.inode, 'not there'), undefined);
      assert.equal(fs.parent(node.inode), (node.parent ?? node).inode, what);
    } else if (node.kind === 'symlink') assert.equal(fs.readlink(node.inode), node.target, what);
    else if (node.kind === 'file') {
      const data = fs.data(node.inode);
      assert.equal(data.size, node.data.length, what);
      const bytes = new Uint8Array(data.size);
      data.read(bytes, 0);
      const at = bytes.findIndex((byte, index) => byte !== node.data[index]);
      assert.equal(at, -1, `${what}: differs at ${at} of ${bytes.length}`);
    } else assert.deepEqual([stat.deviceMajor, stat.deviceMinor], [...node.device], what);
  }
}
