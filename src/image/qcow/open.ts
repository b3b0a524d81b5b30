/** Opens a qcow image: the header, and two levels of tables. */
import { CorruptError, decodeText, readUpTo, UnsupportedError } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { blocks, ImageBlocks } from '../image-blocks.js';
import { TableCache } from '../table-cache.js';
import { compressedHigh, cryptMethod, header, limits, tableEntry } from './layout.js';
import { magic, version } from './probe.js';

const defaultBudget = 2 * 1024 * 1024;

const name = 'qcow';

interface Header {
  readonly clusterBits: number;
  readonly l2Bits: number;
  readonly l1Offset: number;
  /** Of the guest's disk; a multiple of 512, as qemu rounds it. */
  readonly sizeInBytes: number;
  readonly backingFile: string | undefined;
  readonly encrypted: boolean;
}

const structure = 'qcow header';

function readHeader(file: Disk): Header {
  const fields = header.decode(readUpTo(file, 0, header.size));
  if (fields.magic !== magic) throw new CorruptError(structure, 'has no qcow magic');
  if (fields.version !== version) throw new UnsupportedError('qcow image', [`version ${fields.version}`]);
  const { cluster_bits: clusterBits, l2_bits: l2Bits, crypt_method, size } = fields;
  if (clusterBits < limits.clusterBitsLeast || clusterBits > limits.clusterBitsMost) {
    throw new CorruptError(structure, 'has a cluster size outside 512 bytes to 64 KiB', { clusterBits });
  }
  if (l2Bits < limits.l2BitsLeast || l2Bits > limits.l2BitsMost) {
    throw new CorruptError(structure, 'has L2 tables outside 512 bytes to 64 KiB', { l2Bits });
  }
  if (crypt_method !== cryptMethod.none && crypt_method !== cryptMethod.aes) {
    throw new UnsupportedError('qcow image', [`encryption method ${crypt_method}`]);
  }
  if (fields.l1_table_offset % tableEntry.size !== 0) {
    throw new CorruptError(structure, 'has an L1 table that is not aligned', {
      offset: fields.l1_table_offset,
    });
  }
  return {
    clusterBits,
    l2Bits,
    l1Offset: fields.l1_table_offset,
    sizeInBytes: size - (size % 512),
    backingFile: readBackingName(file, fields.backing_file_offset, fields.backing_file_size),
    encrypted: crypt_method === cryptMethod.aes,
  };
}

function readBackingName(file: Disk, offset: number, length: number): string | undefined {
  if (offset === 0) return undefined;
  if (length === 0 || length > limits.backingNameBytes || offset + length > file.size) {
    throw new CorruptError(structure, 'has a backing file name that does not fit', { offset, length });
  }
  return decodeText(readUpTo(file, offset, length));
}

/** What the header says. */
export function readQcowInfo(file: Disk): ImageInfo {
  const { clusterBits, sizeInBytes, backingFile, encrypted } = readHeader(file);
  return {
    format: name,
    virtualSizeInBytes: sizeInBytes,
    ...(backingFile === undefined ? {} : { backingFile }),
    encrypted,
    facts: { 'cluster-size': 2 ** clusterBits },
  };
}

/** The guest's disk. */
export function openQcow(file: Disk, context: ImageContext): Disk {
  const read = readHeader(file);
  if (read.encrypted) throw new UnsupportedError('qcow image', ['AES encryption']);
  const { sizeInBytes, backingFile } = read;
  const backing =
    backingFile === undefined ? undefined : context.openNamed(backingFile, 'backing', undefined);
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  return new MappedDisk(sizeInBytes, lookupIn(file, read, backing, budget), {
    name: 'qcow image',
    owns: backing === undefined ? [file] : [file, backing],
    sectorSize: file.sectorSize,
    keepBytes: budget,
  });
}

/** What a place is whose cluster is compressed. */
const compressed = -3;

function lookupIn(
  file: Disk,
  { clusterBits, l2Bits, l1Offset, sizeInBytes }: Header,
  backing: Disk | undefined,
  budget: number,
): (offset: number, wanted: number) => Mapping {
  const clusterSize = 2 ** clusterBits;
  const l2Entries = 2 ** l2Bits;
  const tables = new TableCache(file, { name: 'qcow table', mostInSlice: 512, budget });
  const { high: highField, low: lowField } = tableEntry.fields;
  /** The halves of the entry of a cluster that was looked at last. */
  let high = 0;
  let low = 0;
  const readEntry = (at: number): void => {
    const inSlice = at % tables.sliceSize;
    const slice = tables.slice(at - inSlice);
    high = highField.read(slice, inSlice, false);
    low = lowField.read(slice, inSlice, false);
  };
  const checkedOffset = (): number => {
    const offset = high * 0x1_0000_0000 + low;
    if (offset <= Number.MAX_SAFE_INTEGER && offset % tableEntry.size === 0) return offset;
    throw new CorruptError('qcow table', 'has an entry with an impossible place', { offset });
  };
  const placeOf = (block: number): number => {
    const l2Index = block % l2Entries;
    readEntry(l1Offset + ((block - l2Index) / l2Entries) * tableEntry.size);
    const l2 = checkedOffset();
    if (l2 === 0) return blocks.absent;
    readEntry(l2 + l2Index * tableEntry.size);
    if (high & compressedHigh) return compressed;
    return high === 0 && low === 0 ? blocks.absent : checkedOffset();
  };
  const map = new ImageBlocks({
    sizeInBytes,
    blockSize: clusterSize,
    file,
    backing,
    zeroesPastEnd: true,
    placeOf,
  });
  return (offset, wanted) => {
    const skip = offset % clusterSize;
    if (placeOf((offset - skip) / clusterSize) !== compressed) return map.lookup(offset, wanted);
    // From bit 0 on an offset of 63 − cluster_bits bits, then the length in bytes, below a cluster's.
    const offsetBitsHigh = 63 - clusterBits - 32;
    const place = (high % 2 ** offsetBitsHigh) * 0x1_0000_0000 + low;
    const size = Math.floor((high % compressedHigh) / 2 ** offsetBitsHigh);
    if (place + size > file.size || size === 0) {
      throw new CorruptError('qcow L2 table', 'has a compressed cluster outside the file', { place, size });
    }
    return {
      kind: 'encoded',
      length: clusterSize - skip,
      unit: { key: `${place}`, codec: 'deflate', disk: file, offset: place, size, decodedSize: clusterSize },
      skip,
    };
  };
}
