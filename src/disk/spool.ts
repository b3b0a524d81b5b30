/** What a stream brought, as a disk: in room of the platform's that is gone with the disk, where zeroes take no room. */
import { work } from '../base/index.js';
import type { Disk, GrowableDisk } from './disk.js';
import { MappedDisk } from './mapped.js';
import { platform } from './platform.js';

const blockSize = 4096;
/** Bytes that are written at once. */
const pieceSize = 1024 * 1024;

/** Takes bytes one after another. */
export class Spool {
  readonly #room: GrowableDisk;
  readonly #piece = new Uint8Array(pieceSize);
  #filled = 0;
  #written = 0;

  /** `directory`: where the room is; by default the system's directory for such. */
  constructor(directory?: string) {
    this.#room = platform().scratch(directory);
  }

  get length(): number {
    return this.#written + this.#filled;
  }

  /** Adds bytes. Throws EDQUOT where the call comes to its limit of unpacked bytes, ENOSPC where there is no room. */
  add(bytes: Uint8Array): void {
    work.unpacked.spend(bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + pieceSize - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === pieceSize) this.#store();
    }
  }

  #store(): void {
    const piece = this.#piece.subarray(0, this.#filled);
    this.#room.resize(this.#written + piece.length);
    let from = -1; // where a stretch began that holds something
    for (let at = 0; at < piece.length; at += blockSize) {
      const isZero = isAllZero(piece.subarray(at, at + blockSize));
      if (!isZero && from < 0) from = at;
      if (isZero && from >= 0) {
        this.#room.write(piece.subarray(from, at), this.#written + from);
        from = -1;
      }
    }
    if (from >= 0) this.#room.write(piece.subarray(from), this.#written + from);
    this.#written += piece.length;
    this.#filled = 0;
  }

  /** All that was added, read-only. The disk owns the room. */
  finish(): Disk {
    this.#store();
    const room = this.#room;
    return new MappedDisk(
      room.size,
      (offset) => ({ kind: 'data', length: room.size - offset, disk: room, offset }),
      {
        name: 'unpacked image',
        owns: [room],
      },
    );
  }

  close(): void {
    this.#room.close();
  }
}

function isAllZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
