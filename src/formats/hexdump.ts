/** Bytes as `hexdump -C` shows them. */
import { compareBytes, concatBytes } from '../base/index.js';

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `00000010  68 65 6c 6c …  |hell…|`: one line for up to 16 bytes. For tests. */
export function hexLine(address: number, bytes: Uint8Array): string {
  let left = '';
  let text = '';
  for (let index = 0; index < 16; index++) {
    if (index === 8) left += ' ';
    const byte = bytes[index];
    left += byte === undefined ? '   ' : `${hexOf[byte] ?? ''} `;
    if (byte !== undefined) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return `${addressText(address)}  ${left} |${text}|\n`;
}

/** Eight hexadecimal digits, or more where they are needed. */
function addressText(address: number): string {
  return address.toString(16).padStart(8, '0');
}

/** Formats pieces of bytes, of any length, as lines. Lines that repeat the one before become one `*`. */
export class HexDump {
  #address: number;
  #rest: Uint8Array = new Uint8Array(0);
  #previous: Uint8Array | undefined;
  #starred = false;

  /** The address of the first byte. */
  constructor(address: number) {
    this.#address = address;
  }

  /** The lines that another piece completes. */
  add(piece: Uint8Array): string {
    const bytes = this.#rest.length === 0 ? piece : concatBytes([this.#rest, piece]);
    const whole = bytes.length - (bytes.length % 16);
    let lines = '';
    for (let at = 0; at < whole; at += 16) lines += this.#line(bytes.subarray(at, at + 16));
    this.#rest = bytes.slice(whole);
    return lines;
  }

  #line(bytes: Uint8Array): string {
    const address = this.#address;
    this.#address += bytes.length;
    if (this.#previous !== undefined && compareBytes(this.#previous, bytes) === 0) {
      if (this.#starred) return '';
      this.#starred = true;
      return '*\n';
    }
    this.#starred = false;
    this.#previous = bytes.slice();
    return hexLine(address, bytes);
  }

  /** The last line, and the address after the last byte; nothing if there were no bytes. */
  end(): string {
    const line = this.#rest.length > 0 ? hexLine(this.#address, this.#rest) : '';
    this.#address += this.#rest.length;
    this.#rest = new Uint8Array(0);
    return line === '' && this.#previous === undefined ? '' : `${line}${addressText(this.#address)}\n`;
  }
}
