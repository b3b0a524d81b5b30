/** The metadata of a VHDX: what the guest's disk is like, and which parent it has. Specification: "Metadata Region". */
import {
  CorruptError,
  type Decoded,
  type Fields,
  formatGuid,
  isPowerOfTwo,
  readUpTo,
  type Struct,
  UnsupportedError,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { startsWith } from '../signature.js';
import type { Region } from './header.js';
import {
  fileParameters,
  item,
  limits,
  locatorEntry,
  locatorType,
  metadataEntry,
  metadataSignature,
  metadataTable,
  parameterFlags,
  parentLocator,
  required,
  sectorSizeItem,
  virtualDiskSize,
} from './layout.js';

/** What a difference says of its parent. */
interface Parent {
  /** The parent's data write GUIDs that are right. */
  readonly linkages: readonly string[];
  /** As Windows has them: relative, in a volume, absolute. */
  readonly paths: readonly string[];
}

export interface Metadata {
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly blockSize: number;
  readonly sectorSize: 512 | 4096;
  readonly physicalSectorSize: number | undefined;
  readonly diskId: string | undefined;
  readonly fixed: boolean;
  readonly parent: Parent | undefined;
}

const structure = 'VHDX metadata';

/** `file`: with the log replayed. */
export function readMetadata(file: Disk, region: Region): Metadata {
  const items = readItems(file, region);
  const { block_size: blockSize, flags } = items.get(item.fileParameters, fileParameters);
  if (!isPowerOfTwo(blockSize) || blockSize < limits.blockLeast || blockSize > limits.blockMost) {
    throw new CorruptError(structure, 'has a block size outside 1 to 256 MiB', { blockSize });
  }
  const { size: sectorSize } = items.get(item.logicalSectorSize, sectorSizeItem);
  if (sectorSize !== 512 && sectorSize !== 4096) {
    throw new CorruptError(structure, 'has an impossible sector size', { sectorSize });
  }
  const { size: sizeInBytes } = items.get(item.virtualDiskSize, virtualDiskSize);
  if (sizeInBytes % sectorSize !== 0 || sizeInBytes > limits.diskBytes) {
    throw new CorruptError(structure, 'has an impossible disk size', { sizeInBytes });
  }
  const id = items.bytes(item.virtualDiskId, 16);
  return {
    sizeInBytes,
    blockSize,
    sectorSize,
    physicalSectorSize: items.has(item.physicalSectorSize)
      ? items.get(item.physicalSectorSize, sectorSizeItem).size
      : undefined,
    diskId: id.length === 16 ? formatGuid(id) : undefined,
    fixed: (flags & parameterFlags.leaveBlockAllocated) !== 0,
    parent:
      (flags & parameterFlags.hasParent) === 0
        ? undefined
        : parentOf(items.bytes(item.parentLocator, limits.locatorBytes)),
  };
}

/** The items of the table, by id. */
class Items {
  readonly #file: Disk;
  readonly #places: ReadonlyMap<string, Region>;

  constructor(file: Disk, places: ReadonlyMap<string, Region>) {
    this.#file = file;
    this.#places = places;
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  get<F extends Fields>(id: string, table: Struct<F>): Decoded<F> {
    if (!this.has(id)) throw new CorruptError(structure, `lacks the ${table.name}`);
    return table.decode(this.bytes(id, table.size));
  }

  /** Up to `most` bytes; none for an item that is not there. */
  bytes(id: string, most: number): Uint8Array {
    const place = this.#places.get(id);
    return place ? readUpTo(this.#file, place.offset, Math.min(place.length, most)) : new Uint8Array(0);
  }
}

const known: ReadonlySet<string> = new Set(Object.values(item));

function readItems(file: Disk, region: Region): Items {
  const bytes = readUpTo(file, region.offset, metadataTable.size);
  if (!startsWith(bytes, metadataSignature)) throw new CorruptError(structure, 'has no table');
  const { entry_count } = metadataTable.decode(bytes);
  if (entry_count > limits.metadataItems) {
    throw new CorruptError(structure, 'has too many items', { count: entry_count });
  }
  const entries = readUpTo(file, region.offset + metadataTable.size, entry_count * metadataEntry.size);
  const places = new Map<string, Region>();
  for (let index = 0; index < entry_count; index++) {
    const { item_id, offset, length, flags } = metadataEntry.decode(entries, index * metadataEntry.size);
    const id = formatGuid(item_id);
    if (!known.has(id)) {
      if ((flags & required.metadata) === 0) continue;
      throw new UnsupportedError('VHDX image', [`the metadata item ${id}`]);
    }
    if (offset + length > region.length) {
      throw new CorruptError(structure, 'has an item outside its region', { index, offset, length });
    }
    places.set(id, { offset: region.offset + offset, length });
  }
  return new Items(file, places);
}

/** A GUID in braces, as the locator has it. */
const bareGuid = (text: string): string => text.replace(/^\{|\}$/g, '').toUpperCase();

function parentOf(bytes: Uint8Array): Parent {
  const { locator_type, key_value_count } = parentLocator.decode(bytes);
  const type = formatGuid(locator_type);
  if (type !== locatorType) throw new UnsupportedError('VHDX image', [`the parent locator ${type}`]);
  if (key_value_count > limits.locatorEntries) {
    throw new CorruptError('VHDX parent locator', 'has too many entries', { count: key_value_count });
  }
  const texts = new Map<string, string>();
  const textAt = (at: number, length: number): string => {
    if (at + length > bytes.length) {
      throw new CorruptError('VHDX parent locator', 'has a text outside it', { offset: at, length });
    }
    return new TextDecoder('utf-16le').decode(bytes.subarray(at, at + length));
  };
  for (let index = 0; index < key_value_count; index++) {
    const entry = locatorEntry.decode(bytes, parentLocator.size + index * locatorEntry.size);
    texts.set(textAt(entry.key_offset, entry.key_length), textAt(entry.value_offset, entry.value_length));
  }
  const all = (...keys: string[]): string[] => keys.flatMap((key) => texts.get(key) ?? []);
  return {
    linkages: all('parent_linkage', 'parent_linkage2').map(bareGuid),
    paths: all('relative_path', 'volume_path', 'absolute_win32_path'),
  };
}
