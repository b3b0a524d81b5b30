/** Opens a VDI: the header, the map of blocks, and the parent of a difference. */
import { type Disk, MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { blocks, ImageBlocks } from '../image-blocks.js';
import { openParent } from '../parents.js';
import { TableCache } from '../table-cache.js';
import { type Header, readHeader } from './header.js';
import { limits, mapEntry, unallocated, zeroes } from './layout.js';

const defaultBudget = 2 * 1024 * 1024;

const name = 'vdi';

/** What the header says. */
export function readVdiInfo(file: Disk): ImageInfo {
  return infoOf(readHeader(file));
}

/** The guest's disk. */
export function openVdi(file: Disk, context: ImageContext): Disk {
  const header = readHeader(file);
  const { sizeInBytes, blockSize, blockExtra, mapOffset, dataOffset } = header;
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const tables = new TableCache(file, { name: 'VDI map', mostInSlice: 16_384, budget });
  const { block: entryOf } = mapEntry.fields;
  const backing = openBacking(header, context);
  const map = new ImageBlocks({
    sizeInBytes,
    blockSize,
    file,
    backing,
    placeOf(block) {
      const at = mapOffset + block * mapEntry.size;
      const inSlice = at % tables.sliceSize;
      const entry = entryOf.read(tables.slice(at - inSlice), inSlice, true);
      if (entry === unallocated) return blocks.absent;
      if (entry === zeroes) return blocks.zero;
      return dataOffset + entry * (blockExtra + blockSize) + blockExtra;
    },
  });
  return new MappedDisk(sizeInBytes, map.lookup, {
    name: 'VDI image',
    owns: backing === undefined ? [file] : [file, backing],
    sectorSize: file.sectorSize,
  });
}

/** What a difference has for a parent's identity: which image, and which state of it. */
const identityOf = (uuid: string, modifyUuid: string): string => `${uuid} as of ${modifyUuid}`;

/** The name that VirtualBox gives to a difference. */
const fileOf = (uuid: string): string => `{${uuid}}.vdi`;

function openBacking({ parent }: Header, context: ImageContext): Disk | undefined {
  if (parent === undefined) return undefined;
  const { uuid, modifyUuid } = parent;
  const first = fileOf(uuid);
  const near = (context.neighbours?.() ?? []).filter((each) => /\.vdi$/i.test(each) && each !== first);
  return openParent(context, {
    names: [first],
    candidates: near.slice(0, limits.candidates),
    format: name,
    expected: modifyUuid === undefined ? uuid : identityOf(uuid, modifyUuid),
    isParent: (identity) =>
      modifyUuid === undefined ? identity.startsWith(`${uuid} `) : identity === identityOf(uuid, modifyUuid),
    isSameDisk: (identity) => identity.startsWith(`${uuid} `),
    child: 'VDI image',
  });
}

function infoOf({
  kind,
  sizeInBytes,
  blockSize,
  creator,
  comment,
  uuid,
  modifyUuid,
  parent,
}: Header): ImageInfo {
  const facts: Record<string, string | number | boolean> = {
    subformat: kind,
    creator,
    'block-size': blockSize,
    uuid,
  };
  if (comment !== '') facts.comment = comment;
  if (parent !== undefined) facts['parent-uuid'] = parent.uuid;
  return {
    format: name,
    virtualSizeInBytes: sizeInBytes,
    ...(parent === undefined ? {} : { backingFile: fileOf(parent.uuid), backingFormat: name }),
    identity: identityOf(uuid, modifyUuid),
    facts,
  };
}
