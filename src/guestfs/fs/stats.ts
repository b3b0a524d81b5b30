/** Look-alikes of `Stats`, `BigIntStats` and `Dirent` of node:fs. */
import type { Structs } from '../../api/index.js';
import { type ModeType, typeOfMode } from '../../base/index.js';

type FileType = ModeType | 'unknown';
type Statns = Structs['statns'];

/** What can be asked of whatever has a file type. */
class TypedFile {
  readonly #type: FileType;

  constructor(type: FileType) {
    this.#type = type;
  }

  isFile(): boolean {
    return this.#type === 'file';
  }
  isDirectory(): boolean {
    return this.#type === 'directory';
  }
  isSymbolicLink(): boolean {
    return this.#type === 'symlink';
  }
  isBlockDevice(): boolean {
    return this.#type === 'block';
  }
  isCharacterDevice(): boolean {
    return this.#type === 'character';
  }
  isFIFO(): boolean {
    return this.#type === 'fifo';
  }
  isSocket(): boolean {
    return this.#type === 'socket';
  }
}

/** Milliseconds since 1970, with the nanoseconds as a fraction. */
const milliseconds = (seconds: number, nanoseconds: number): number => seconds * 1000 + nanoseconds / 1e6;
const nanoseconds = (seconds: number, rest: number): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(rest);
const dateOf = (time: number | bigint): Date => new Date(Math.round(Number(time)));

/**
 * The facts of a file of the guest in the form of `fs.Stats`. As libguestfs does not tell when a file was made, the
 * `birthtime` is the `ctime`.
 */
export class GuestStats extends TypedFile {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;

  constructor(stat: Statns) {
    super(typeOfMode(stat.stMode));
    this.dev = stat.stDev;
    this.ino = stat.stIno;
    this.mode = stat.stMode;
    this.nlink = stat.stNlink;
    this.uid = stat.stUid;
    this.gid = stat.stGid;
    this.rdev = stat.stRdev;
    this.size = stat.stSize;
    this.blksize = stat.stBlksize;
    this.blocks = stat.stBlocks;
    this.atimeMs = milliseconds(stat.stAtimeSec, stat.stAtimeNsec);
    this.mtimeMs = milliseconds(stat.stMtimeSec, stat.stMtimeNsec);
    this.ctimeMs = milliseconds(stat.stCtimeSec, stat.stCtimeNsec);
    this.birthtimeMs = this.ctimeMs;
  }

  get atime(): Date {
    return dateOf(this.atimeMs);
  }
  get mtime(): Date {
    return dateOf(this.mtimeMs);
  }
  get ctime(): Date {
    return dateOf(this.ctimeMs);
  }
  get birthtime(): Date {
    return dateOf(this.birthtimeMs);
  }
}

/** The facts of a file of the guest in the form of `fs.BigIntStats`, whose times are whole nanoseconds too. */
export class GuestBigIntStats extends TypedFile {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;

  constructor(stat: Statns) {
    super(typeOfMode(stat.stMode));
    this.dev = BigInt(stat.stDev);
    this.ino = BigInt(stat.stIno);
    this.mode = BigInt(stat.stMode);
    this.nlink = BigInt(stat.stNlink);
    this.uid = BigInt(stat.stUid);
    this.gid = BigInt(stat.stGid);
    this.rdev = BigInt(stat.stRdev);
    this.size = BigInt(stat.stSize);
    this.blksize = BigInt(stat.stBlksize);
    this.blocks = BigInt(stat.stBlocks);
    this.atimeNs = nanoseconds(stat.stAtimeSec, stat.stAtimeNsec);
    this.mtimeNs = nanoseconds(stat.stMtimeSec, stat.stMtimeNsec);
    this.ctimeNs = nanoseconds(stat.stCtimeSec, stat.stCtimeNsec);
    this.birthtimeNs = this.ctimeNs;
  }

  get atimeMs(): bigint {
    return this.atimeNs / 1_000_000n;
  }
  get mtimeMs(): bigint {
    return this.mtimeNs / 1_000_000n;
  }
  get ctimeMs(): bigint {
    return this.ctimeNs / 1_000_000n;
  }
  get birthtimeMs(): bigint {
    return this.birthtimeNs / 1_000_000n;
  }
  get atime(): Date {
    return dateOf(this.atimeMs);
  }
  get mtime(): Date {
    return dateOf(this.mtimeMs);
  }
  get ctime(): Date {
    return dateOf(this.ctimeMs);
  }
  get birthtime(): Date {
    return dateOf(this.birthtimeMs);
  }
}

/** An entry of a directory in the form of `fs.Dirent`. */
export class GuestDirent<Name extends string | Uint8Array = string> extends TypedFile {
  readonly name: Name;
  /** The directory, as a path of the guest. */
  readonly parentPath: string;

  constructor(name: Name, parentPath: string, type: FileType) {
    super(type);
    this.name = name;
    this.parentPath = parentPath;
  }

  /** Node's old name of `parentPath`. */
  get path(): string {
    return this.parentPath;
  }
}
