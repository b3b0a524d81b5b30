/** The checksum of POSIX cksum: CRC-32 with polynomial 0x04c11db7, highest bit first, the length fed in at the end. */

const table = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n << 24;
  for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
  table[n] = c >>> 0;
}

export class PosixCrc {
  #crc = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    let crc = this.#crc;
    for (const byte of bytes) crc = (crc << 8) ^ (table[(crc >>> 24) ^ byte] as number); // safe: both are 8 bits
    this.#crc = crc;
    this.#length += bytes.length;
  }

  /** The checksum in decimal. */
  result(): string {
    const length: number[] = [];
    for (let rest = this.#length; rest > 0; rest = Math.floor(rest / 256)) length.push(rest % 256);
    const total = this.#length;
    this.update(Uint8Array.from(length));
    this.#length = total;
    return String(~this.#crc >>> 0);
  }
}
