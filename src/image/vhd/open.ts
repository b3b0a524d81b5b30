/** Opens a VHD: the footer, and the header of blocks where there are any. */
import { type Disk, MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { blocks, ImageBlocks } from '../image-blocks.js';
import { openParent } from '../parents.js';
import { TableCache } from '../table-cache.js';
import { type Footer, readFooter } from './footer.js';
import { type Header, readHeader } from './header.js';
import { sectorSize, tableEntry, unusedEntry } from './layout.js';

const defaultBudget = 2 * 1024 * 1024;

/** By qemu's name. */
const name = 'vpc';

/** What the header says. */
export function readVhdInfo(file: Disk): ImageInfo {
  const footer = readFooter(file);
  return infoOf(footer, footer.kind === 'fixed' ? undefined : readHeader(file, footer));
}

/** The guest's disk. */
export function openVhd(file: Disk, context: ImageContext): Disk {
  const footer = readFooter(file);
  if (!footer.intact) context.warn('the checksum of the VHD footer is wrong');
  if (footer.savedState)
    context.warn('the VHD belongs to a machine with a saved state; the disk may lack what is in its memory');
  if (footer.kind === 'fixed') {
    return new MappedDisk(
      footer.sizeInBytes,
      (offset) => ({ kind: 'data', length: footer.sizeInBytes - offset, disk: file, offset }),
      { name: 'VHD image', owns: [file], sectorSize: file.sectorSize },
    );
  }
  const header = readHeader(file, footer);
  if (!header.intact) context.warn('the checksum of the VHD dynamic disk header is wrong');
  return openBlocks(file, footer, header, context);
}

function infoOf(footer: Footer, header: Header | undefined): ImageInfo {
  const { kind, creator, sizeInBytes, uniqueId } = footer;
  const facts: Record<string, string | number | boolean> = {
    subformat: kind,
    creator,
    'unique-id': uniqueId,
  };
  if (header) facts['block-size'] = header.blockSize;
  return {
    format: name,
    virtualSizeInBytes: sizeInBytes,
    ...(kind === 'differencing' && header !== undefined
      ? { backingFile: header.parentNames[0] ?? header.parentId, backingFormat: name }
      : {}),
    identity: uniqueId,
    facts,
  };
}

function openBlocks(file: Disk, footer: Footer, header: Header, context: ImageContext): Disk {
  const { blockSize, tableOffset } = header;
  const isDifference = footer.kind === 'differencing';
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const tables = new TableCache(file, { name: 'VHD block allocation table', mostInSlice: 16_384, budget });
  const { sector } = tableEntry.fields;
  /** Where a block's bitmap begins, with which each block begins; negative for a block that is not in the file. */
  const bitmapOf = (block: number): number => {
    const at = tableOffset + block * tableEntry.size;
    const inSlice = at % tables.sliceSize;
    const entry = sector.read(tables.slice(at - inSlice), inSlice, false);
    return entry === unusedEntry ? blocks.absent : entry * sectorSize;
  };
  const bitmapSize = Math.ceil(blockSize / sectorSize / 8 / sectorSize) * sectorSize;
  const backing = isDifference
    ? openParent(context, {
        names: header.parentNames,
        format: name,
        expected: header.parentId,
        child: 'VHD image',
      })
    : undefined;
  const map = new ImageBlocks({
    sizeInBytes: footer.sizeInBytes,
    blockSize,
    file,
    backing,
    placeOf(block) {
      const bitmap = bitmapOf(block);
      return bitmap < 0 ? bitmap : bitmap + bitmapSize;
    },
    // In a dynamic disk a sector that was never written is zero in its block, so the bitmap says nothing more.
    ...(isDifference ? { bitmaps: { tables, sectorSize, firstBit: 'highest', placeOf: bitmapOf } } : {}),
  });
  return new MappedDisk(footer.sizeInBytes, map.lookup, {
    name: 'VHD image',
    owns: backing === undefined ? [file] : [file, backing],
    sectorSize: file.sectorSize,
  });
}
