/** The header of a qcow2 image and its extensions, with checks. Specification: "Header", "Header extensions". */
import {
  CorruptError,
  decodePadded,
  decodeText,
  readUpTo,
  UnsupportedError,
  viewOf,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { qcow2Layout } from '../../formats/index.js';

const {
  autoclear,
  bitmapsExtension,
  compatible,
  compressionType,
  compressionTypeAt,
  cryptMethod,
  encryptionHeaderExtension,
  extension,
  extensionHeader,
  featureNameSize,
  header3: header3Struct,
  header: headerStruct,
  incompatible,
  limits,
  magic,
} = qcow2Layout;

interface BitmapDirectory {
  readonly count: number;
  readonly offset: number;
  readonly sizeInBytes: number;
}

/** What the header says. */
export interface Header {
  readonly version: number;
  readonly clusterBits: number;
  /** Of the guest's disk; a multiple of 512, as qemu rounds it. */
  readonly sizeInBytes: number;
  readonly backingFile: string | undefined;
  readonly backingFormat: string | undefined;
  readonly encryption: 'aes' | 'luks' | undefined;
  readonly l1Entries: number;
  readonly l1Offset: number;
  readonly snapshotCount: number;
  readonly snapshotTableOffset: number;
  readonly refcountBits: number;
  readonly refcountTableOffset: number;
  /** In clusters. */
  readonly refcountTableClusters: number;
  readonly compression: 'zlib' | 'zstd';
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly extendedL2: boolean;
  readonly lazyRefcounts: boolean;
  readonly hasDataFile: boolean;
  readonly dataFile: string | undefined;
  readonly dataFileRaw: boolean;
  /** The number of bitmaps in the image; undefined if the header has no such field. */
  readonly bitmapCount: number | undefined;
  readonly bitmapDirectory: BitmapDirectory | undefined;
  /** Where the LUKS header is, in bytes. */
  readonly encryptionHeader: { readonly offset: number; readonly length: number } | undefined;
  /** The bits that whoever writes to the image clears, unless he knows what they mean. */
  readonly autoclear: bigint;
}

const structure = 'qcow2 header';

interface Extensions {
  backingFormat?: string;
  dataFile?: string;
  bitmaps?: BitmapDirectory;
  encryptionHeader?: { readonly offset: number; readonly length: number };
  featureNames: Map<string, string>;
}

/** Reads and checks the header. Encryption is reported; unknown incompatible features are refused by name. */
export function readHeader(file: Disk): Header {
  const bytes = readUpTo(file, 0, headerStruct.size);
  // Checked first, so that a file that is no qcow2 gets an error that says so.
  if (bytes.length >= 4 && headerStruct.get(viewOf(bytes), 0, 'magic') !== magic)
    throw new CorruptError(structure, 'has no qcow2 magic');
  const first = headerStruct.decode(bytes);
  const { version, cluster_bits: clusterBits } = first;
  if (version !== 2 && version !== 3) throw new UnsupportedError('qcow2 image', [`version ${version}`]);
  if (clusterBits < limits.clusterBitsLeast || clusterBits > limits.clusterBitsMost) {
    throw new CorruptError(structure, 'has a cluster size outside 512 bytes to 2 MiB', { clusterBits });
  }
  const clusterSize = 2 ** clusterBits;
  const later = version === 3 ? readLater(file, clusterSize) : version2;
  if (first.backing_file_offset > clusterSize) {
    throw new CorruptError(structure, 'has its backing file name outside the first cluster', {
      offset: first.backing_file_offset,
    });
  }
  const extensionsEnd = first.backing_file_offset > 0 ? first.backing_file_offset : clusterSize;
  const extensions = readExtensions(file, later.headerLength, extensionsEnd);
  refuseUnknown(later.incompatible, extensions.featureNames);

  const extendedL2 = (later.incompatible & incompatible.extendedL2) !== 0n;
  if (extendedL2 && clusterBits < 14) {
    // 32 subclusters of at least a sector each.
    throw new CorruptError(structure, 'has subclusters of less than 512 bytes', { clusterBits });
  }
  const hasDataFile = (later.incompatible & incompatible.dataFile) !== 0n;
  return {
    version,
    clusterBits,
    sizeInBytes: first.size - (first.size % 512),
    backingFile: readBackingName(file, first.backing_file_offset, first.backing_file_size, clusterSize),
    backingFormat: extensions.backingFormat,
    encryption: encryptionOf(first.crypt_method),
    l1Entries: first.l1_size,
    l1Offset: first.l1_table_offset,
    snapshotCount: first.nb_snapshots,
    snapshotTableOffset: first.snapshots_offset,
    refcountBits: 2 ** later.refcountOrder,
    refcountTableOffset: first.refcount_table_offset,
    refcountTableClusters: first.refcount_table_clusters,
    compression: compressionOf(later),
    dirty: (later.incompatible & incompatible.dirty) !== 0n,
    corrupt: (later.incompatible & incompatible.corrupt) !== 0n,
    extendedL2,
    lazyRefcounts: (later.compatible & compatible.lazyRefcounts) !== 0n,
    hasDataFile,
    dataFile: hasDataFile ? extensions.dataFile : undefined,
    // Without a data file the bit says nothing.
    dataFileRaw: hasDataFile && (later.autoclear & autoclear.dataFileRaw) !== 0n,
    bitmapCount: extensions.bitmaps?.count,
    bitmapDirectory: extensions.bitmaps,
    encryptionHeader: extensions.encryptionHeader,
    autoclear: later.autoclear,
  };
}

/** The part of the header that version 2 lacks. */
interface Later {
  readonly incompatible: bigint;
  readonly compatible: bigint;
  readonly autoclear: bigint;
  readonly refcountOrder: number;
  readonly headerLength: number;
  readonly compressionType: number;
}

const version2: Later = {
  incompatible: 0n,
  compatible: 0n,
  autoclear: 0n,
  refcountOrder: 4,
  headerLength: headerStruct.size,
  compressionType: compressionType.zlib,
};

function readLater(file: Disk, clusterSize: number): Later {
  const bytes = readUpTo(file, 0, compressionTypeAt + 1);
  const later = header3Struct.decode(bytes);
  if (later.header_length < header3Struct.size || later.header_length > clusterSize) {
    throw new CorruptError(structure, 'has an impossible length', { length: later.header_length });
  }
  if (later.refcount_order > 6) {
    throw new CorruptError(structure, 'has reference counts of more than 64 bits', {
      refcountOrder: later.refcount_order,
    });
  }
  return {
    incompatible: later.incompatible_features,
    compatible: later.compatible_features,
    autoclear: later.autoclear_features,
    refcountOrder: later.refcount_order,
    headerLength: later.header_length,
    compressionType: later.header_length > compressionTypeAt ? (bytes[compressionTypeAt] ?? 0) : 0,
  };
}

function refuseUnknown(features: bigint, names: ReadonlyMap<string, string>): void {
  const unknown: string[] = [];
  for (let bit = 0n; bit < 64n; bit++) {
    const known = Object.values(incompatible).includes((1n << bit) as never); // safe: only compared
    if ((features & (1n << bit)) !== 0n && !known) {
      unknown.push(names.get(`0:${bit}`) ?? `incompatible feature bit ${bit}`);
    }
  }
  if (unknown.length > 0) throw new UnsupportedError('qcow2 image', unknown);
}

function compressionOf(later: Later): 'zlib' | 'zstd' {
  const told = (later.incompatible & incompatible.compressionType) !== 0n;
  if (told !== (later.compressionType !== compressionType.zlib)) {
    throw new CorruptError(structure, 'names a compression type its feature bit denies', {
      compressionType: later.compressionType,
    });
  }
  if (later.compressionType === compressionType.zlib) return 'zlib';
  if (later.compressionType === compressionType.zstd) return 'zstd';
  throw new UnsupportedError('qcow2 image', [`compression type ${later.compressionType}`]);
}

function encryptionOf(method: number): 'aes' | 'luks' | undefined {
  if (method === cryptMethod.none) return undefined;
  if (method === cryptMethod.aes) return 'aes';
  if (method === cryptMethod.luks) return 'luks';
  throw new UnsupportedError('qcow2 image', [`encryption method ${method}`]);
}

function readBackingName(
  file: Disk,
  offset: number,
  length: number,
  clusterSize: number,
): string | undefined {
  if (offset === 0 || length === 0) return undefined;
  if (length > limits.backingNameBytes || offset + length > clusterSize || offset + length > file.size) {
    throw new CorruptError(structure, 'has a backing file name that does not fit', { offset, length });
  }
  return decodeText(readUpTo(file, offset, length));
}

/**
 * Reads the extensions between the header and the backing file's name. Unknown ones are skipped. Known ones are read
 * only up to the size that honest images have, because the caller's thread reads the header of any image.
 */
function readExtensions(file: Disk, start: number, end: number): Extensions {
  const found: Extensions = { featureNames: new Map() };
  const room = Math.min(end, file.size);
  let count = 0;
  for (let at = start; at + extensionHeader.size <= room; ) {
    const { type, length } = extensionHeader.decode(readUpTo(file, at, extensionHeader.size));
    if (type === extension.end) break;
    if (++count > limits.extensions)
      throw new CorruptError(structure, 'has too many extensions', { limit: limits.extensions });
    at += extensionHeader.size;
    if (length > room - at) {
      throw new CorruptError('qcow2 header extension', 'is longer than its room', {
        type,
        length,
        offset: at,
      });
    }
    readExtension(file, type, at, length, found);
    at += Math.ceil(length / 8) * 8;
  }
  return found;
}

function readExtension(file: Disk, type: number, at: number, length: number, found: Extensions): void {
  const name = (): Uint8Array => {
    if (length > limits.extensionBytes)
      throw new CorruptError('qcow2 header extension', 'is too long for a name', {
        type,
        length,
        offset: at,
      });
    return readUpTo(file, at, length);
  };
  if (type === extension.backingFormat) found.backingFormat = decodePadded(name());
  else if (type === extension.dataFile) found.dataFile = decodeText(name());
  else if (type === extension.bitmaps)
    found.bitmaps = bitmapsOf(readUpTo(file, at, Math.min(length, bitmapsExtension.size)));
  else if (type === extension.encryptionHeader && length >= encryptionHeaderExtension.size)
    found.encryptionHeader = encryptionHeaderExtension.decode(
      readUpTo(file, at, encryptionHeaderExtension.size),
    );
  else if (type === extension.featureNames) {
    const data = readUpTo(file, at, Math.min(length, 3 * 64 * featureNameSize)); // one for each bit of three kinds
    for (let i = 0; i + featureNameSize <= data.length; i += featureNameSize) {
      found.featureNames.set(`${data[i]}:${data[i + 1]}`, decodePadded(data.subarray(i + 2, i + 48)));
    }
  }
}

function bitmapsOf(bytes: Uint8Array): BitmapDirectory {
  const { nb_bitmaps, bitmap_directory_offset, bitmap_directory_size } = bitmapsExtension.decode(bytes);
  return { count: nb_bitmaps, offset: bitmap_directory_offset, sizeInBytes: bitmap_directory_size };
}
