/**
 * A disk as all the probes together look at it: each place is read once, whoever asks for it. Most of what they want
 * lies in the first 68 KiB, which are read in one piece.
 */
import { endsCall, GuestfsError } from '../../base/index.js';
import type { Disk, Span } from '../../disk/index.js';

/** Up to the end of the last superblock that lies 64 KiB from the start. */
const headSize = 68 * 1024;
const pageSize = 4096;
/** Longer reads go to the disk itself. */
const longestKept = 16 * pageSize;
/** Pages that are kept: a probe that follows pointers of the disk cannot make them many. */
const maxPages = 256;

export class ProbeWindow implements Disk {
  readonly size: number;
  readonly sectorSize: number;
  readonly writable = false;
  readonly #disk: Disk;
  readonly #pages = new Map<number, Uint8Array>();
  #head: Uint8Array | undefined;

  /** The disk stays its owner's: closing the window closes nothing. */
  constructor(disk: Disk) {
    this.#disk = disk;
    this.size = disk.size;
    this.sectorSize = disk.sectorSize;
    if (this.size === 0) return;
    const head = new Uint8Array(Math.min(headSize, this.size));
    try {
      disk.read(head, 0);
      this.#head = head;
    } catch (thrown) {
      // Some of it cannot be read, and what can is read page by page; a probe that wants the rest meets the error itself.
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
    }
  }

  read(into: Uint8Array, offset: number): void {
    if (this.#head !== undefined && offset + into.length <= this.#head.length) {
      into.set(this.#head.subarray(offset, offset + into.length));
      return;
    }
    if (into.length > longestKept || offset + into.length > this.size) {
      this.#disk.read(into, offset);
      return;
    }
    for (let done = 0; done < into.length; ) {
      const at = offset + done;
      const within = at % pageSize;
      const piece = this.#page(at - within).subarray(within, within + into.length - done);
      into.set(piece, done);
      done += piece.length;
    }
  }

  /** The page that begins at `start`, which lies on the disk. */
  #page(start: number): Uint8Array {
    const kept = this.#pages.get(start);
    if (kept !== undefined) return kept;
    const page = new Uint8Array(Math.min(pageSize, this.size - start));
    this.#disk.read(page, start);
    if (this.#pages.size < maxPages) this.#pages.set(start, page);
    return page;
  }

  checkWritable(): never {
    throw new GuestfsError('EROFS', 'a probe writes nothing');
  }

  write(): never {
    this.checkWritable();
  }

  zero(): never {
    this.checkWritable();
  }

  span(offset: number, length: number): Span {
    return this.#disk.span(offset, length);
  }

  flush(): void {}

  close(): void {}
}
