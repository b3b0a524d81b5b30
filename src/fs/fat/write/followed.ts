/** A file of a volume that is written, as it is at each moment. */
import type { Disk, Span, ZeroOptions } from '../../../disk/index.js';

/** A file as it is at each moment: opened again when the version has changed. */
export function followedFile(open: () => Disk, version: () => number): Disk {
  return new FollowedFile(open, version);
}

class FollowedFile implements Disk {
  readonly sectorSize = 512;
  readonly writable = false;
  readonly #open: () => Disk;
  readonly #version: () => number;
  #known: { readonly disk: Disk; readonly version: number } | undefined;

  /** `version` changes when what `open` gave may be old. */
  constructor(open: () => Disk, version: () => number) {
    this.#open = open;
    this.#version = version;
  }

  get #current(): Disk {
    const version = this.#version();
    if (this.#known?.version !== version) this.#known = { disk: this.#open(), version };
    return this.#known.disk;
  }

  get size(): number {
    return this.#current.size;
  }

  read(into: Uint8Array, offset: number): void {
    this.#current.read(into, offset);
  }

  span(offset: number, length: number): Span {
    return this.#current.span(offset, length);
  }

  checkWritable(offset: number, length: number): void {
    this.#current.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.#current.write(from, offset);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.#current.zero(offset, length, options);
  }

  flush(): void {}

  close(): void {}
}
