/** The bare blocks in the files of lz4 and lzop, which are what images and filesystems store. */

/** A block, and how many bytes are in it; it is compressed where its own length differs. */
export interface FrameBlock {
  readonly packed: Uint8Array;
  readonly size: number;
}

const lz4Magic = 0x184d2204;
const lz4BlockLimits = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/** The compressed blocks of a frame. Of each the most bytes that are in it are known. */
export function lz4Blocks(file: Buffer): FrameBlock[] {
  if (file.readUInt32LE(0) !== lz4Magic) throw new Error('no LZ4 frame');
  const flags = file.readUInt8(4);
  const size = lz4BlockLimits[(file.readUInt8(5) >> 4) & 7] ?? 0;
  const hasChecksums = (flags & 0x10) !== 0;
  const blocks: FrameBlock[] = [];
  for (let at = 7 + (flags & 8 ? 8 : 0); ; ) {
    const length = file.readUInt32LE(at);
    if (length === 0) return blocks;
    const isStored = length >= 0x80000000;
    const end = at + 4 + (length & 0x7fffffff);
    const packed = file.subarray(at + 4, end);
    blocks.push({ packed, size: isStored ? packed.length : size });
    at = end + (hasChecksums ? 4 : 0);
  }
}

const lzopHead = 9 + 2 + 2 + 2 + 1 + 1;
/** Flags of an lzop file: checksums of what is in a block, and of the block. */
const plainChecksums = [0x1, 0x100];
const packedChecksums = [0x2, 0x200];

/** The blocks of an lzop file. */
export function lzopBlocks(file: Buffer): FrameBlock[] {
  if (file.toString('latin1', 1, 4) !== 'LZO') throw new Error('no lzop file');
  const flags = file.readUInt32BE(lzopHead);
  const words = (wanted: readonly number[]): number => wanted.filter((flag) => flags & flag).length * 4;
  const nameAt = lzopHead + 16;
  const blocks: FrameBlock[] = [];
  for (let at = nameAt + 1 + file.readUInt8(nameAt) + 4; ; ) {
    const size = file.readUInt32BE(at);
    if (size === 0) return blocks;
    const length = file.readUInt32BE(at + 4);
    const from = at + 8 + words(plainChecksums) + (length < size ? words(packedChecksums) : 0);
    blocks.push({ packed: file.subarray(from, from + length), size });
    at = from + length;
  }
}

/** The header of a WIM: where its chunk size is, and the size and place of the table of resources. */
const wim = {
  chunkSize: 20,
  tableSize: 48,
  tableAt: 56,
  entrySize: 50,
  isMetadata: 2,
  isCompressed: 4,
} as const;
const size56 = (file: Buffer, at: number): number => Number(BigInt.asUintN(56, file.readBigUInt64LE(at)));

/** The chunks of the first file in a WIM. */
export function wimBlocks(file: Buffer): FrameBlock[] {
  if (file.toString('latin1', 0, 5) !== 'MSWIM') throw new Error('no WIM');
  const chunkSize = file.readUInt32LE(wim.chunkSize);
  const from = Number(file.readBigUInt64LE(wim.tableAt));
  const end = from + size56(file, wim.tableSize);
  for (let entry = from; entry < end; entry += wim.entrySize) {
    const flags = file.readUInt8(entry + 7);
    if ((flags & wim.isMetadata) !== 0 || (flags & wim.isCompressed) === 0) continue;
    const start = Number(file.readBigUInt64LE(entry + 8));
    const stored = file.subarray(start, start + size56(file, entry));
    const size = Number(file.readBigUInt64LE(entry + 16));
    const count = Math.ceil(size / chunkSize);
    // The table has where each chunk but the first begins, counted from its own end.
    const chunks = stored.subarray(4 * (count - 1));
    const border = (index: number) =>
      index === 0 ? 0 : index === count ? chunks.length : stored.readUInt32LE(4 * (index - 1));
    return Array.from({ length: count }, (_, index) => ({
      packed: chunks.subarray(border(index), border(index + 1)),
      size: Math.min(chunkSize, size - index * chunkSize),
    }));
  }
  throw new Error('the WIM has no compressed file');
}
