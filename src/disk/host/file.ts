/** A disk that is a file, or a block device, of the host. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { GuestfsError, hostError, systemError, work } from '../../base/index.js';
import { checkRead, checkWrite, readOnly } from '../checks.js';
import type { GrowableDisk, Span, ZeroOptions } from '../disk.js';
import { zeroByWriting } from '../zero.js';
import { type ImageUser, lockImage } from './locks.js';
import { identityOf, toHostPath } from './path.js';
import { largeHole, Punches } from './punch.js';

/** The largest length of one read or write call; Linux transfers at most 0x7ffff000 bytes. */
const maxTransfer = 0x4000_0000;

/** Size in bytes of an open file or block device. A device's inode has no size: the end is found by reading. */
function sizeOf(fd: number, path: string): number {
  const stats = fstatSync(fd);
  if (stats.isFile()) return stats.size;
  if (stats.isDirectory()) throw systemError('EISDIR', path);
  if (!stats.isBlockDevice()) throw new GuestfsError('EINVAL', `${path}: not a regular file or block device`);
  const probe = new Uint8Array(512);
  let low = 0; // sectors known to exist
  let high = 2 ** 44; // sectors: 8 PiB, the first known not to
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (readSync(fd, probe, 0, 512, middle * 512) > 0) low = middle + 1;
    else high = middle;
  }
  return low * 512;
}

/**
 * The logical sector. For a block device the kernel reports it; for a partition it is the whole disk's. The page
 * cache writes a file back in pages, which the device below stores sector by sector: 512 bytes is valid on every
 * host.
 */
function sectorSizeOf(stats: Stats): number {
  if (!stats.isBlockDevice()) return 512;
  const major = Math.floor(stats.rdev / 256) % 4096;
  const minor = (stats.rdev % 256) + Math.floor(stats.rdev / 2 ** 20) * 256;
  for (const parent of ['', '../']) {
    try {
      const place = `/sys/dev/block/${major}:${minor}/${parent}queue/logical_block_size`;
      return Number(readFileSync(place, 'latin1'));
    } catch {
      // Missing for a partition, whose disk is tried next, and on a host without sysfs.
    }
  }
  return 512;
}

interface FileDiskOptions {
  readonly writable?: boolean;
  readonly identity?: string;
  readonly name?: string;
  /** Locks the file as qemu does for such a user, and is told where that cannot be done. */
  readonly lock?: { readonly as: ImageUser; readonly tell: (problem: string) => void };
}

function lockOrTell(fd: number, name: string, { as, tell }: NonNullable<FileDiskOptions['lock']>): void {
  const problem = lockImage(fd, name, as);
  if (problem !== undefined)
    tell(
      `${name}: is not locked against virtual machines and other programs, which must not use it meanwhile: ${problem}`,
    );
}

/** A host file as a disk. It holds a descriptor until closed. */
export class FileDisk implements GrowableDisk {
  /** What errors call it: its path, unless told otherwise. */
  readonly name: string;
  readonly writable: boolean;
  readonly sectorSize: number;
  #fd: number;
  #size: number;
  #punches: Punches | undefined;

  /**
   * Opens a host file. A missing or unreadable one throws with Node's code (ENOENT, EACCES, …), a directory EISDIR,
   * anything else that is neither file nor block device EINVAL.
   */
  constructor(path: string, options: FileDiskOptions = {}) {
    this.name = options.name ?? path;
    this.writable = options.writable ?? false;
    try {
      // O_NONBLOCK: without it, opening a pipe without a writer would wait for ever. It has no effect on files and
      // disks.
      const access = this.writable ? constants.O_RDWR : constants.O_RDONLY;
      // O_EXCL: of a device, which then must not be mounted or otherwise taken. It has no effect on a file.
      const claim = options.lock?.as === 'writer' ? constants.O_EXCL : 0;
      this.#fd = openSync(toHostPath(path), access | claim | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (thrown) {
      throw hostError(this.name, thrown);
    }
    try {
      if (
        options.identity !== undefined &&
        identityOf(fstatSync(this.#fd, { bigint: true })) !== options.identity
      )
        throw new GuestfsError('ESTALE', `${this.name}: was replaced by another file while it was opened`);
      if (options.lock !== undefined) lockOrTell(this.#fd, this.name, options.lock);
      this.#size = sizeOf(this.#fd, this.name);
      this.sectorSize = sectorSizeOf(fstatSync(this.#fd));
    } catch (thrown) {
      this.close();
      throw hostError(this.name, thrown);
    }
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead(this.name, this.size, offset, into.length);
    // Any loop that reads a host file notices here that the call was cancelled.
    work.lookups.spend(1);
    let done = 0;
    while (done < into.length) {
      let count: number;
      try {
        count = readSync(this.#fd, into, done, Math.min(into.length - done, maxTransfer), offset + done);
      } catch (thrown) {
        throw hostError(this.name, thrown);
      }
      if (count === 0) throw new GuestfsError('EIO', `${this.name}: became shorter while in use`);
      done += count;
    }
  }

  checkWritable(offset: number, length: number): void {
    if (!this.writable) throw readOnly(this.name);
    checkWrite(this.name, this.size, offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    this.#punches?.drop(offset, from.length);
    let done = 0;
    while (done < from.length) {
      try {
        done += writeSync(this.#fd, from, done, Math.min(from.length - done, maxTransfer), offset + done);
      } catch (thrown) {
        throw hostError(this.name, thrown);
      }
    }
  }

  /**
   * With `discard`, the range becomes a hole where the host can make one, at the latest with the next barrier. What is
   * zero already is left alone, so that a sparse file stays sparse.
   */
  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.checkWritable(offset, length);
    if (options?.discard !== true) return zeroByWriting(this, offset, length, options);
    this.#punches ??= new Punches();
    if (length >= largeHole) {
      this.#punches.drop(offset, length);
      if (this.#punches.punch(this.#fd, offset, length)) return;
    }
    zeroByWriting(this, offset, length, options);
    this.#punches.add(offset, length);
  }

  resize(size: number): void {
    if (!this.writable) throw readOnly(this.name);
    try {
      ftruncateSync(this.#fd, size); // EINVAL for a block device
    } catch (thrown) {
      throw hostError(this.name, thrown);
    }
    this.#punches?.drop(Math.min(size, this.#size), Math.abs(size - this.#size));
    this.#size = size;
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {
    if (!this.writable || this.#fd < 0) return;
    this.#punches?.run(this.#fd);
    try {
      fsyncSync(this.#fd);
    } catch (thrown) {
      throw hostError(this.name, thrown);
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    if (this.writable) this.#punches?.run(this.#fd);
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
