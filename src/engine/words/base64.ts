/**
 * Base64 as `base64 -d -i` of GNU coreutils reads it: what is no letter of the alphabet is passed over, and a group of
 * four letters gives three bytes.
 */
import { GuestfsError } from '../../base/index.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const padding = 0x3d;
/** The six bits of each letter; 64 for `=`, 255 for what is none. */
const values = new Uint8Array(256).fill(255);
for (const [value, letter] of [...alphabet].entries()) values[letter.charCodeAt(0)] = value;
values[padding] = 64;

export class Base64Decoder {
  readonly #give: (bytes: Uint8Array) => void;
  /** Letters of a group that is not complete. */
  readonly #group: number[] = [];

  constructor(give: (bytes: Uint8Array) => void) {
    this.#give = give;
  }

  take(text: Uint8Array): void {
    const out = new Uint8Array(Math.ceil((text.length + 4) / 4) * 3);
    let length = 0;
    for (const letter of text) {
      const value = values[letter] ?? 255;
      if (value === 255) continue;
      this.#group.push(value);
      if (this.#group.length === 4) length = this.#decode(out, length);
    }
    if (length > 0) this.#give(out.subarray(0, length));
  }

  /** The text has ended. EINVAL where a group has not. */
  finish(): void {
    if (this.#group.length > 0) throw new GuestfsError('EINVAL', 'the base64 text breaks off');
  }

  #decode(out: Uint8Array, at: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#group;
    this.#group.length = 0;
    const isPadded = d === 64;
    const isShort = c === 64;
    if (a === 64 || b === 64 || (isShort && !isPadded))
      throw new GuestfsError('EINVAL', 'this is no base64 text');
    out[at] = (a << 2) | (b >> 4);
    if (isShort) return at + 1;
    out[at + 1] = ((b & 15) << 4) | (c >> 2);
    if (isPadded) return at + 2;
    out[at + 2] = ((c & 3) << 6) | d;
    return at + 3;
  }
}
