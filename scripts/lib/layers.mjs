// A disk as layers of writes, for images that no tool here makes: what each layer stores, and what the whole shows.

/** A layer: `{ at, length, byte }` in bytes, over another one or over zeroes. */
export class Layer {
  constructor(size, sectorSize, writes, below) {
    Object.assign(this, { size, sectorSize, below });
    this.contents = Buffer.alloc(size);
    if (below) below.contents.copy(this.contents);
    /** The sectors that this layer stores. */
    this.stored = new Uint8Array(Math.ceil(size / sectorSize));
    for (const { at, length, byte } of writes) {
      this.contents.fill(byte, at, at + length);
      this.stored.fill(1, Math.floor(at / sectorSize), Math.ceil((at + length) / sectorSize));
    }
  }

  /** How many sectors of a block are stored. */
  storedIn(block, blockSize) {
    const first = (block * blockSize) / this.sectorSize;
    return this.stored.subarray(first, first + blockSize / this.sectorSize).reduce((a, b) => a + b, 0);
  }

  /** What a layer's file holds for a block: bytes that must never be seen where a sector is not stored. */
  blockBytes(block, blockSize, filler) {
    const bytes = Buffer.alloc(blockSize, filler);
    for (let at = 0; at < blockSize; at += this.sectorSize) {
      const from = block * blockSize + at;
      if (this.stored[from / this.sectorSize]) this.contents.copy(bytes, at, from, from + this.sectorSize);
    }
    return bytes;
  }
}

/** The numbers below `count` in an order that is neither up nor down. */
export function shuffled(count) {
  const order = Array.from({ length: count }, (_, i) => i);
  return order.sort((a, b) => ((a * 7919) % 31) - ((b * 7919) % 31) || a - b);
}
