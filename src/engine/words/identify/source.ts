/** The data for recognising a file: its beginning in memory, and the rest on demand. */

import type { ByteSource } from '../../../base/index.js';
import { viewOf } from '../../../base/index.js';

/** How much of a file is read, in bytes; the program file's own default. */
export const headLength = 1024 * 1024;

export class Subject {
  /** The beginning, at most {@link headLength} bytes. */
  readonly head: Uint8Array;
  /** The whole, if available: for a compressed file only the beginning of its contents is. */
  readonly whole: ByteSource | undefined;
  readonly #view: DataView;

  constructor(head: Uint8Array, whole?: ByteSource) {
    this.head = head;
    this.whole = whole;
    this.#view = viewOf(head);
  }

  /** Whether these bytes, or the characters of this text, are at an offset. */
  has(offset: number, wanted: string | readonly number[]): boolean {
    for (let i = 0; i < wanted.length; i++) {
      const byte = typeof wanted === 'string' ? wanted.charCodeAt(i) : wanted[i];
      if (this.head[offset + i] !== byte) return false;
    }
    return true;
  }

  /** Numbers at an offset; 0 past the end. */
  u8(offset: number): number {
    return this.head[offset] ?? 0;
  }

  u16(offset: number, little: boolean): number {
    return offset + 2 <= this.head.length ? this.#view.getUint16(offset, little) : 0;
  }

  u32(offset: number, little: boolean): number {
    return offset + 4 <= this.head.length ? this.#view.getUint32(offset, little) : 0;
  }

  u64(offset: number, little: boolean): bigint {
    return offset + 8 <= this.head.length ? this.#view.getBigUint64(offset, little) : 0n;
  }

  /** Characters from an offset up to a NUL, at most `length`. Bytes beyond ASCII are taken as Latin-1. */
  text(offset: number, length: number): string {
    const bytes = this.head.subarray(offset, offset + length);
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
  }

  /** Bytes anywhere in the whole file; empty if they are not available. */
  at(offset: number, length: number): Uint8Array {
    if (offset + length <= this.head.length) return this.head.subarray(offset, offset + length);
    if (this.whole === undefined || offset < 0 || offset + length > this.whole.size) return new Uint8Array(0);
    const bytes = new Uint8Array(length);
    this.whole.read(bytes, offset);
    return bytes;
  }
}
