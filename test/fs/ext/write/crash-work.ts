/** Random operations on a filesystem whose disk is recorded, with a note of what is there after each. */
import assert from 'node:assert/strict';
import { typeOfMode } from '../../../../src/base/index.js';
import type { FileSystem, FileType } from '../../../../src/fs/index.js';
import { noise, Random } from '../../../support/random.js';
import type { RecordingDisk } from '../../../support/recording-disk.js';
import { walkFiles } from '../../../support/tell.js';

/** The contents of one file, whatever its names: never changed, but replaced. */
interface Contents {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** What is there at one moment. */
export interface State {
  /** The facts of each path, without contents. */
  readonly facts: ReadonlyMap<string, Facts>;
  readonly contents: ReadonlyMap<string, Contents>;
  /** The file whose operation is of several transactions, where one is about to run or just has. */
  readonly inParts: number | undefined;
}

/** Facts in one line: those that a change of contents has, and the others. */
export interface Facts {
  readonly own: string;
  readonly links: number;
  readonly ofContents: string;
}

/** All paths of a filesystem with their facts. */
export function factsOf(fs: FileSystem): Map<string, Facts> {
  const all = new Map<string, Facts>();
  for (const { path, inode } of walkFiles(fs)) {
    const stat = fs.stat(inode);
    const xattrs = [...fs.xattrs(inode)].map(([name, value]) => [name, Buffer.from(value).toString('hex')]);
    const target = typeOfMode(stat.mode) === 'symlink' ? fs.readlink(inode) : '';
    const own = [stat.mode, stat.uid, stat.gid, target, xattrs.sort()];
    const { sizeInBytes, blockCount512, modified, changed } = stat;
    all.set(path, {
      own: JSON.stringify(own),
      links: stat.linkCount,
      ofContents: `${sizeInBytes} ${blockCount512} ${modified.seconds} ${changed.seconds}`,
    });
  }
  return all;
}

/** A file that the work knows. */
interface Named {
  readonly parent: number;
  readonly name: string;
  readonly inode: number;
  readonly type: FileType;
}

const owner = { permissions: 0o644, uid: 1, gid: 2 } as const;
const bytes = noise(65_521);

/** Bytes out of one long run of them. */
function some(random: Random, length: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const piece = bytes.subarray(random.below(60_000)).subarray(0, length - at);
    made.set(piece, at);
    at += piece.length;
  }
  return made;
}

export interface WorkOptions {
  readonly seed: number;
  readonly operations: number;
}

export class CrashWork {
  readonly states = new Map<string, State>();
  readonly #open: () => FileSystem;
  readonly #recording: RecordingDisk;
  readonly #random: Random;
  readonly #files = new Map<string, Named>();
  /** Of files with contents, by their inodes. */
  readonly #contents = new Map<number, Contents>();
  #fs: FileSystem;
  #directories: readonly { readonly inode: number; readonly path: string }[];
  #count = 0;

  /** `open`: the filesystem on the recorded disk, at first and after each closing. */
  constructor(recording: RecordingDisk, open: () => FileSystem, seed: number) {
    this.#recording = recording;
    this.#open = open;
    this.#random = new Random(seed);
    this.#fs = open();
    this.#directories = [{ inode: this.#fs.root, path: '' }];
  }

  /** As it is open now. */
  get fs(): FileSystem {
    return this.#fs;
  }

  run(operations: number): void {
    this.#note(true);
    const sub = this.#writer.create(this.#fs.root, 'sub', { type: 'directory', ...owner });
    this.#directories = [...this.#directories, { inode: sub, path: '/sub' }];
    this.#note();
    for (let step = 0; step < operations; step++) {
      this.#step(step);
      if (this.#random.below(6) === 0) {
        this.#writer.sync();
        this.#note(true);
      } else if (this.#random.below(50) === 0) {
        this.#fs.close();
        this.#note(true, { isClosed: true });
        this.#fs = this.#open();
      }
    }
    this.#fs.close();
    this.#note(true, { isClosed: true });
  }

  get #writer(): NonNullable<FileSystem['writer']> {
    return this.#fs.writer ?? assert.fail(String(this.#fs.whyReadOnly));
  }

  #note(
    isDurable = false,
    { inParts, isClosed = false }: { inParts?: number; isClosed?: boolean } = {},
  ): void {
    const name = `${this.#count++}`;
    const contents = new Map<string, Contents>();
    for (const [path, { inode }] of this.#files) {
      const known = this.#contents.get(inode);
      if (known !== undefined) contents.set(path, known);
    }
    const last = this.states.get(`${this.#count - 2}`);
    const facts = isClosed && last !== undefined ? last.facts : factsOf(this.#fs);
    this.states.set(name, { facts, contents, inParts });
    this.#recording.mark(name, isDurable);
  }

  #step(step: number): void {
    const random = this.#random;
    const choice = random.below(100);
    const { inode: parent, path } = random.pick(this.#directories);
    const name = `${step}${'x'.repeat(random.below(60))}`;
    if (choice < 20 || this.#files.size === 0) this.#create(parent, path, name, 1 + random.below(9000));
    else if (choice < 44) this.#change(choice);
    else if (choice < 53) this.#unlink();
    else if (choice < 62) this.#rename(parent, path, name);
    else if (choice < 69) this.#attribute();
    else if (choice < 74) this.#link(parent, path, name);
    else if (choice < 79) this.#add(parent, path, name, 'directory');
    else if (choice < 83) this.#removeDirectory();
    else if (choice < 89) this.#add(parent, path, name, 'symlink');
    else if (choice < 95) this.#owner();
    else if (choice < 98) this.#crowd(parent, path, step);
    else this.#create(parent, path, name, 200_000 + random.below(400_000));
  }

  #ofType(isWanted: (type: FileType) => boolean): [path: string, file: Named] | undefined {
    const list = [...this.#files].filter(([, { type }]) => isWanted(type));
    return list.length === 0 ? undefined : this.#random.pick(list);
  }

  #add(parent: number, path: string, name: string, type: 'file' | 'directory' | 'symlink' | 'fifo'): number {
    const target = type === 'symlink' ? { target: 't'.repeat(1 + this.#random.below(200)) } : {};
    const inode = this.#writer.create(parent, name, { type, ...owner, ...target });
    this.#files.set(`${path}/${name}`, { parent, name, inode, type });
    if (type === 'file') this.#contents.set(inode, { id: this.#count, bytes: new Uint8Array(0) });
    this.#note();
    return inode;
  }

  #create(parent: number, path: string, name: string, length: number): void {
    const inode = this.#add(parent, path, name, 'file');
    this.#write(inode, 0, length);
  }

  #replace(inode: number, size: number, change: (bytes: Uint8Array) => void): void {
    const { id, bytes: old } = this.#contents.get(inode) ?? assert.fail();
    const next = new Uint8Array(size);
    next.set(old.subarray(0, size));
    change(next);
    this.#contents.set(inode, { id, bytes: next });
  }

  #sizeOf(inode: number): number {
    return this.#contents.get(inode)?.bytes.length ?? assert.fail();
  }

  #write(inode: number, offset: number, length: number): void {
    const from = some(this.#random, length);
    const contents = this.#writer.contents(inode);
    contents.write(from, offset);
    contents.close();
    this.#replace(inode, Math.max(this.#sizeOf(inode), offset + length), (to) => to.set(from, offset));
    this.#note();
  }

  /** Of contents: written, cut, made longer, given holes and space. */
  #change(choice: number): void {
    const random = this.#random;
    const inode = this.#ofType((type) => type === 'file')?.[1].inode;
    if (inode === undefined) return;
    const size = this.#sizeOf(inode);
    if (choice < 32) {
      const far = random.below(4) === 0 ? random.below(100_000) : 0;
      this.#write(inode, random.below(size + 1) + far, 1 + random.below(5000));
      return;
    }
    const { id } = this.#contents.get(inode) ?? assert.fail();
    this.#note(false, { inParts: id });
    const contents = this.#writer.contents(inode);
    if (choice < 37) {
      const next = random.below(size + 5000);
      contents.resize(next);
      this.#replace(inode, next, () => {});
    } else {
      const offset = random.below(size + 1);
      const length = 1 + random.below(20_000);
      const end = Math.max(size, offset + length);
      if (choice < 41) {
        contents.zero(offset, length, { discard: random.below(3) > 0 });
        this.#replace(inode, end, (to) => to.fill(0, offset, offset + length));
      } else {
        this.#writer.allocate(inode, offset, length);
        this.#replace(inode, end, () => {});
      }
    }
    contents.close();
    this.#note(false, { inParts: id });
  }

  #gone(path: string): void {
    const file = this.#files.get(path) ?? assert.fail(path);
    this.#files.delete(path);
    if (![...this.#files.values()].some(({ inode }) => inode === file.inode))
      this.#contents.delete(file.inode);
  }

  #unlink(): void {
    const [path, file] = this.#ofType((type) => type !== 'directory') ?? [];
    if (path === undefined || file === undefined) return;
    const held =
      file.type === 'file' && this.#random.below(3) === 0 ? this.#writer.contents(file.inode) : undefined;
    this.#writer.unlink(file.parent, file.name);
    const known = this.#contents.get(file.inode);
    this.#gone(path);
    if (held !== undefined) {
      this.#note();
      // One with other names is a file as before; one without is nobody's.
      if (!this.#contents.has(file.inode)) held.write(some(this.#random, 3000), known?.bytes.length ?? 0);
      if (this.#random.below(2) === 0) {
        this.#writer.sync();
        this.#note(true);
      }
      held.close();
    }
    this.#note();
  }

  #rename(parent: number, path: string, name: string): void {
    const [from, file] = this.#ofType(() => true) ?? [];
    if (from === undefined || file === undefined) return;
    const over =
      file.type !== 'directory' && this.#random.below(3) === 0
        ? this.#ofType((type) => type !== 'directory')
        : undefined;
    const target = over?.[1] ?? { parent, name };
    const to = over?.[0] ?? `${path}/${name}`;
    this.#writer.rename(file.parent, file.name, target.parent, target.name);
    if (over?.[1].inode === file.inode) return;
    if (over !== undefined) this.#gone(to);
    this.#files.delete(from);
    this.#files.set(to, { ...file, parent: target.parent, name: target.name });
    this.#note();
  }

  #attribute(): void {
    const inode = this.#ofType((type) => type === 'file' || type === 'directory')?.[1].inode;
    if (inode === undefined) return;
    this.#writer.setXattr(
      inode,
      `user.${this.#random.pick(['a', 'b'])}`,
      some(this.#random, this.#random.below(400)),
    );
    this.#note();
  }

  #owner(): void {
    const inode = this.#ofType(() => true)?.[1].inode;
    if (inode === undefined) return;
    this.#writer.setAttributes(inode, {
      uid: this.#random.below(70_000),
      permissions: this.#random.below(0o1000),
    });
    this.#note();
  }

  #link(parent: number, path: string, name: string): void {
    const file = this.#ofType((type) => type !== 'directory')?.[1];
    if (file === undefined) return;
    this.#writer.link(file.inode, parent, name);
    this.#files.set(`${path}/${name}`, { ...file, parent, name });
    this.#note();
  }

  /** Directories that were made stay empty. */
  #removeDirectory(): void {
    const [path, file] = this.#ofType((type) => type === 'directory') ?? [];
    if (path === undefined || file === undefined) return;
    this.#writer.rmdir(file.parent, file.name);
    this.#files.delete(path);
    this.#note();
  }

  /** Names until a directory needs blocks, and an index. */
  #crowd(parent: number, path: string, step: number): void {
    const count = 10 + this.#random.below(30);
    for (let at = 0; at < count; at++)
      this.#add(parent, path, `c${step}-${at}${'y'.repeat(this.#random.below(40))}`, 'fifo');
  }
}
