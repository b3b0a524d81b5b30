/**
 * A disk as all probes together read it: each place is read once for all of them. Most of what they need is in the
 * first 68 KiB, which are read in one piece.
 */
import { endsCall, GuestfsError } from '../../base/index.js';
import type { Disk, Span } from '../../disk/index.js';

/** Up to the end of the last superblock at 64 KiB from the start. */
const headSize = 68 * 1024;
const pageSize = 4096;
/** Longer reads go to the disk itself. */
const longestKept = 16 * pageSize;
/** The most cached pages, because a probe that follows pointers on the disk could want many. */
const maxPages = 256;

export class ProbeWindow implements Disk {
  readonly size: number;
  readonly sectorSize: number;
  readonly writable = false;
  readonly #disk: Disk;
  readonly #pages = new Map<number, Uint8Array>();
  #head: Uint8Array | undefined;

  /** The disk's owner closes it: closing the window closes nothing. */
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
      // If some of it cannot be read, the rest is read page by page, and a probe that needs the bad part gets the
      // error.
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
