/** Opens a VHDX: the headers, the log, the metadata, and the table of blocks. */
import type { Disk } from '../../disk/index.js';
import { MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { ImageBlocks } from '../image-blocks.js';
import { openParent, parentNames } from '../parents.js';
import { TableCache } from '../table-cache.js';
import { BlockTable } from './block-table.js';
import { type Header, type Regions, readHeader, readRegions } from './header.js';
import { replayLog } from './log.js';
import { type Metadata, readMetadata } from './metadata.js';

const defaultBudget = 2 * 1024 * 1024;

const name = 'vhdx';

interface Structures {
  readonly header: Header;
  readonly regions: Regions;
  readonly metadata: Metadata;
  /** The file with its log replayed. */
  readonly replayed: Disk;
}

function readStructures(file: Disk): Structures {
  const header = readHeader(file);
  const replayed = replayLog(file, header);
  const regions = readRegions(replayed);
  return { header, regions, metadata: readMetadata(replayed, regions.metadata), replayed };
}

/** What the header says. */
export function readVhdxInfo(file: Disk): ImageInfo {
  return infoOf(readStructures(file));
}

/** The guest's disk. */
export function openVhdx(file: Disk, context: ImageContext): Disk {
  const { header, regions, metadata, replayed } = readStructures(file);
  if (header.log)
    context.warn(
      'the VHDX was not closed properly; its log is replayed in memory, and the file stays as it is',
    );
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const tables = new TableCache(replayed, { name: 'VHDX table', mostInSlice: 16_384, budget });
  const table = new BlockTable(tables, metadata, regions.blockAllocationTable);
  const backing = openBacking(metadata, context);
  const map = new ImageBlocks({
    sizeInBytes: metadata.sizeInBytes,
    blockSize: metadata.blockSize,
    file: replayed,
    backing,
    placeOf: table.placeOf,
    ...(backing === undefined
      ? {}
      : {
          bitmaps: {
            tables,
            sectorSize: metadata.sectorSize,
            firstBit: 'lowest',
            placeOf: table.bitmapPlaceOf,
          },
        }),
  });
  return new MappedDisk(metadata.sizeInBytes, map.lookup, {
    name: 'VHDX image',
    owns: backing === undefined ? [file] : [file, backing],
    sectorSize: metadata.sectorSize,
  });
}

function openBacking({ parent }: Metadata, context: ImageContext): Disk | undefined {
  if (parent === undefined) return undefined;
  return openParent(context, {
    names: parentNames(parent.paths),
    format: name,
    expected: parent.linkages.join(' or '),
    isParent: (identity) => parent.linkages.includes(identity),
    child: 'VHDX image',
  });
}

function infoOf({ header, metadata }: Structures): ImageInfo {
  const { parent, fixed, blockSize, sectorSize, physicalSectorSize, diskId } = metadata;
  const facts: Record<string, string | number | boolean> = {
    subformat: parent ? 'differencing' : fixed ? 'fixed' : 'dynamic',
    creator: header.creator,
    'block-size': blockSize,
    'logical-sector-size': sectorSize,
  };
  if (physicalSectorSize !== undefined) facts['physical-sector-size'] = physicalSectorSize;
  if (diskId !== undefined) facts['virtual-disk-id'] = diskId;
  facts['data-write-guid'] = header.dataWriteGuid;
  facts['log-to-replay'] = header.log !== undefined;
  return {
    format: name,
    virtualSizeInBytes: metadata.sizeInBytes,
    ...(parent === undefined
      ? {}
      : {
          backingFile: parentNames(parent.paths)[0] ?? parent.linkages[0] ?? 'unknown',
          backingFormat: name,
        }),
    sectorSizeInBytes: sectorSize,
    identity: header.dataWriteGuid,
    facts,
  };
}
