/** Opens a QED image: the header, and two levels of tables. */
import { CorruptError, decodeText, isPowerOfTwo, readUpTo, UnsupportedError } from '../../base/index.js';
import { type Disk, MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { blocks, ImageBlocks } from '../image-blocks.js';
import { startsWith } from '../signature.js';
import { TableCache } from '../table-cache.js';
import { entry, feature, header, limits, tableEntry } from './layout.js';
import { magic } from './probe.js';

const defaultBudget = 2 * 1024 * 1024;

const name = 'qed';

interface Header {
  readonly clusterSize: number;
  /** Entries of a table. */
  readonly entries: number;
  readonly l1Offset: number;
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly backingFile: string | undefined;
  readonly backingFormat: 'raw' | undefined;
  readonly needsCheck: boolean;
}

const structure = 'QED header';

function readHeader(file: Disk): Header {
  const bytes = readUpTo(file, 0, header.size);
  if (!startsWith(bytes, magic)) throw new CorruptError(structure, 'has no QED magic');
  const fields = header.decode(bytes);
  const { cluster_size: clusterSize, table_size: tableSize, l1_table_offset: l1Offset, features } = fields;
  const unknown = features & ~(feature.backingFile | feature.needCheck | feature.backingFormatNoProbe);
  if (unknown !== 0n) throw new UnsupportedError('QED image', [`features 0x${unknown.toString(16)}`]);
  if (!isPowerOfTwo(clusterSize) || clusterSize < limits.clusterLeast || clusterSize > limits.clusterMost) {
    throw new CorruptError(structure, 'has an impossible cluster size', { clusterSize });
  }
  if (!isPowerOfTwo(tableSize) || tableSize > limits.tableMost) {
    throw new CorruptError(structure, 'has an impossible table size', { tableSize });
  }
  const entries = (clusterSize * tableSize) / tableEntry.size;
  if (l1Offset === 0 || l1Offset % clusterSize !== 0) {
    throw new CorruptError(structure, 'has an L1 table in an impossible place', { l1Offset });
  }
  const sizeInBytes = fields.image_size;
  if (sizeInBytes % 512 !== 0 || sizeInBytes > entries * entries * clusterSize) {
    throw new CorruptError(structure, 'has an impossible disk size', { sizeInBytes });
  }
  const hasBacking = (features & feature.backingFile) !== 0n;
  return {
    clusterSize,
    entries,
    l1Offset,
    sizeInBytes,
    backingFile: hasBacking ? readBackingName(file, fields) : undefined,
    backingFormat: hasBacking && (features & feature.backingFormatNoProbe) !== 0n ? 'raw' : undefined,
    needsCheck: (features & feature.needCheck) !== 0n,
  };
}

function readBackingName(
  file: Disk,
  {
    backing_filename_offset: offset,
    backing_filename_size: length,
    header_size,
    cluster_size,
  }: ReturnType<typeof header.decode>,
): string {
  if (length === 0 || length > limits.backingNameBytes || offset + length > header_size * cluster_size) {
    throw new CorruptError(structure, 'has a backing file name that does not fit', { offset, length });
  }
  return decodeText(readUpTo(file, offset, length));
}

/** What the header says. */
export function readQedInfo(file: Disk): ImageInfo {
  const { clusterSize, sizeInBytes, backingFile, backingFormat, needsCheck } = readHeader(file);
  return {
    format: name,
    virtualSizeInBytes: sizeInBytes,
    ...(backingFile === undefined ? {} : { backingFile }),
    ...(backingFormat === undefined ? {} : { backingFormat }),
    facts: { 'cluster-size': clusterSize, 'dirty-flag': needsCheck },
  };
}

/** The guest's disk. */
export function openQed(file: Disk, context: ImageContext): Disk {
  const { clusterSize, entries, l1Offset, sizeInBytes, backingFile, backingFormat, needsCheck } =
    readHeader(file);
  if (needsCheck) context.warn('the QED image was not closed properly');
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const tables = new TableCache(file, { name: 'QED table', mostInSlice: clusterSize, budget });
  const { low, high } = tableEntry.fields;
  const entryAt = (table: number, index: number): number => {
    const at = table + index * tableEntry.size;
    const inSlice = at % tables.sliceSize;
    const slice = tables.slice(at - inSlice);
    return high.read(slice, inSlice, true) * 0x1_0000_0000 + low.read(slice, inSlice, true);
  };
  const checked = (offset: number): number => {
    if (offset % clusterSize === 0 && offset <= Number.MAX_SAFE_INTEGER) return offset;
    throw new CorruptError('QED table', 'has an entry that is not aligned to a cluster', { offset });
  };
  const backing =
    backingFile === undefined ? undefined : context.openNamed(backingFile, 'backing', backingFormat);
  const map = new ImageBlocks({
    sizeInBytes,
    blockSize: clusterSize,
    file,
    backing,
    zeroesPastEnd: true,
    placeOf(block) {
      const l2Index = block % entries;
      const l2 = checked(entryAt(l1Offset, (block - l2Index) / entries));
      if (l2 === 0) return blocks.absent;
      const place = entryAt(l2, l2Index);
      if (place === entry.unallocated) return blocks.absent;
      return place === entry.zero ? blocks.zero : checked(place);
    },
  });
  return new MappedDisk(sizeInBytes, map.lookup, {
    name: 'QED image',
    owns: backing === undefined ? [file] : [file, backing],
    sectorSize: file.sectorSize,
  });
}
